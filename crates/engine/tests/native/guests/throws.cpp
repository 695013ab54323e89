// Throws across the border, which no C++ program may do.
#include "playhouse.h"

int32_t actr_init(const HostVTable *, const uint8_t *, size_t) { return ACTR_SUCCESS; }

int32_t actr_handle(const uint8_t *, size_t, uint8_t **, size_t *) { throw 1; }

void actr_free_response(uint8_t *, size_t) {}
