# a try that failed gives back the permit it did not get: two holders
# SPDX-License-Identifier: BSD-2-Clause
s/^\treturn rc == 0;/\tif (rc)\n\t\tsem_post(\&l->permit);\n\treturn rc == 0;/
