# the request is not a release: the server may run a section with a stale argument (a race)
# SPDX-License-Identifier: BSD-2-Clause
s/store\(&mine->request, request, release\)/store(\&mine->request, request, relaxed)/
