/* What libtopv_cuda.so exports for the provider "topv" of flash_attn.h, under the name "topv_flash_attn_provider". */
#ifndef FLASH_ATTN_TOPV_PROVIDER_H
#define FLASH_ATTN_TOPV_PROVIDER_H

#include "flash_attn/flash_attn.h"

#define FLASH_ATTN_TOPV_VERSION 1

/* Arguments have been validated. Each function returns a status; message() gives the words of the last failed one on the
 * calling thread. */
typedef struct flash_attn_topv_provider {
  int32_t version; /* FLASH_ATTN_TOPV_VERSION */
  const char* (*message)(void);
  flash_attn_status (*open)(int32_t device, void** out);
  void (*close)(void* context);
  flash_attn_status (*varlen_fwd)(void* context, struct CUstream_st* stream,
                                  const flash_attn_varlen_params* params);
  flash_attn_status (*with_kvcache)(void* context, struct CUstream_st* stream,
                                    const flash_attn_kvcache_params* params);
  flash_attn_status (*synchronize)(void* context, struct CUstream_st* stream);
  flash_attn_status (*malloc)(void* context, int64_t bytes, void** out);
  flash_attn_status (*free)(void* context, void* memory);
  flash_attn_status (*upload)(void* context, struct CUstream_st* stream, void* device, const void* host,
                              int64_t bytes);
  flash_attn_status (*download)(void* context, struct CUstream_st* stream, void* host, const void* device,
                                int64_t bytes);
} flash_attn_topv_provider;

#endif
