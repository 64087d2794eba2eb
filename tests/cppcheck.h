// SPDX-License-Identifier: BSD-2-Clause
// For cppcheck, which does not read jansson's headers.
#define json_array_foreach(array, index, value) \
	for ((index) = 0; ((value) = json_array_get(array, index)) != 0; (index)++)
#define json_object_foreach(object, key, value) while (next_of(object, &(key), &(value)))
