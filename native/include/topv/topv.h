/*
 * topv.h - THE contract between topv's engine and its backends. C only; JavaCPP reads this file alone.
 *
 * Conventions
 *   Vocabulary  B sequences, T packed tokens, N visual tokens, K kept, Hq/Hkv query/KV heads, D head size, C hidden
 *               size, V vocabulary, L layers, P page size (tokens per KV page).
 *   Shapes      row-major; the innermost dimension is contiguous. Strides and leading dimensions are in ELEMENTS.
 *   Memory      every data pointer inside a params struct is memory of the context's device (topv_alloc), memory of
 *               topv_host_alloc, or any host memory when the backend is "cpu". Pointers marked [host] are always host
 *               memory; what they point to has been read when the call returns.
 *   Streams     operations are ordered within a stream; NULL is the context's default stream. A GPU backend returns
 *               before the work is done; the CPU backend works synchronously on a fixed pool of threads.
 *   Weights     matrices are packed once (topv_weight). Vectors (norm weights, biases) are float32.
 *   Errors      functions return a topv_status; the text is in topv_error_message(). No call ends the process, and
 *               nothing is written where a call is refused. An argument outside its documented range, a NULL pointer
 *               that is not marked "nullable" (unless the array it names is empty), or an unsupported dtype is
 *               TOPV_INVALID_ARGUMENT.
 *   Wrong data  an id, a slot or a weight in device memory is checked where it is read. The CPU backend refuses the call
 *               before it writes. A GPU backend cannot know yet when the call returns: its kernels skip the elements
 *               concerned, and the next call that waits for the stream (topv_stream_synchronize, a topv_copy to the
 *               host) fails with the status and the words of the first such element since the one before; what the
 *               operation has written is then undefined. Environment: with TOPV_CUDA_BLOCKING=1 every operation of the
 *               CUDA backend waits, and fails itself.
 *   Threads     a context may be used by one thread at a time.
 */
/* clang-format off */
#ifndef TOPV_H
#define TOPV_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define TOPV_API __attribute__((visibility("default")))
#else
#define TOPV_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------- status, dtypes ------------------------------- */

#define TOPV_CONTRACT_VERSION 1

typedef enum topv_status {
  TOPV_OK = 0,
  TOPV_INVALID_ARGUMENT = 1, /* the caller broke this contract; nothing was done */
  TOPV_UNSUPPORTED = 2,      /* legal, but this backend or machine cannot do it */
  TOPV_OUT_OF_MEMORY = 3,
  TOPV_IO_ERROR = 4,
  TOPV_BACKEND_ERROR = 5, /* a library or driver failed; the message has its words */
  TOPV_INTERNAL = 6
} topv_status;

typedef enum topv_dtype { TOPV_F32 = 0, TOPV_F16 = 1, TOPV_BF16 = 2, TOPV_I32 = 3 } topv_dtype;

typedef struct topv_context topv_context; /* one device of one backend: threads or streams, scratch, last error */
typedef struct topv_stream topv_stream;   /* an ordered queue of work */
typedef struct topv_weight topv_weight;   /* a packed matrix; belongs to the context that made it */
typedef struct topv_event topv_event;     /* a point in the work of a stream */
typedef struct topv_graph topv_graph;     /* recorded work of a stream */

/* ---------------------------------------------------------------- context -------------------------------------- */

typedef struct topv_context_params {
  const char* backend;   /* [host] "cpu", "cuda": loads libtopv_<backend>.so */
  const char* directory; /* [host] nullable: directories (':' between) that hold that library and those it needs; NULL =
                            beside libtopv.so, then the loader's path */
  int32_t device;        /* device ordinal; 0 for the CPU */
  int32_t threads;       /* CPU: size of the pool; 0 = one per core this process may use */
  const char* isa;       /* [host] nullable, CPU: at most "avx2", "avx512", "avx512_bf16" or "amx"; NULL = best here */
} topv_context_params;

/* Version of the library, "major.minor.patch". Never NULL. */
TOPV_API const char* topv_version(void);

/* Message of the last failed call on ctx, "" when none. With NULL: of the last failed topv_context_create or
 * call about a mapped file on the calling thread. The text lives until the next call on the same context (or thread). */
TOPV_API const char* topv_error_message(const topv_context* ctx);

/* Opens a device. TOPV_UNSUPPORTED where the backend's library, driver or device is missing (the message says which),
 * or where the CPU lacks AVX2. *out is NULL on failure. */
TOPV_API topv_status topv_context_create(const topv_context_params* params, topv_context** out);

/* Closes ctx; its buffers, weights, events, graphs and streams must have been freed before. NULL is allowed. */
TOPV_API void topv_context_destroy(topv_context* ctx);

/* JSON object that describes device and libraries: {"backend","device","isa","threads","libraries":{..},..}.
 * Writes at most capacity bytes, the final NUL included, into buffer [host]; *needed (nullable) gets the full size. */
TOPV_API topv_status topv_context_describe(topv_context* ctx, char* buffer, int64_t capacity, int64_t* needed);

/* ---------------------------------------------------------------- memory, streams, files ----------------------- */

/* bytes >= 0 of device memory, 64-byte aligned, contents undefined. */
TOPV_API topv_status topv_alloc(topv_context* ctx, int64_t bytes, void** out);
TOPV_API topv_status topv_free(topv_context* ctx, void* memory); /* NULL is allowed */

/* bytes >= 0 of host memory that the device can read and write, too, at the same address (pinned memory of a GPU):
 * params may name it, and copies to it are faster. 64-byte aligned, contents undefined. */
TOPV_API topv_status topv_host_alloc(topv_context* ctx, int64_t bytes, void** out);
TOPV_API topv_status topv_host_free(topv_context* ctx, void* memory); /* NULL is allowed */

typedef enum topv_copy_kind { TOPV_HOST_TO_DEVICE = 0, TOPV_DEVICE_TO_HOST = 1, TOPV_DEVICE_TO_DEVICE = 2 } topv_copy_kind;

/* Copies bytes; the ranges must not overlap. Ordered on stream; host memory may be reused on return. */
TOPV_API topv_status topv_copy(topv_context* ctx, topv_stream* stream, void* dst, const void* src, int64_t bytes,
                               topv_copy_kind kind);

TOPV_API topv_status topv_stream_create(topv_context* ctx, topv_stream** out);
/* Wraps a native stream of the caller's (CUstream_st*, NULL = CUDA's default stream) on the context's device;
 * TOPV_UNSUPPORTED on the CPU. Destroying it leaves the caller's stream alive. */
TOPV_API topv_status topv_stream_wrap(topv_context* ctx, void* native_stream, topv_stream** out);
/* The native stream (CUstream_st*) behind stream; TOPV_UNSUPPORTED on the CPU. It lives as long as stream. */
TOPV_API topv_status topv_stream_native(topv_context* ctx, topv_stream* stream, void** out);
TOPV_API topv_status topv_stream_synchronize(topv_context* ctx, topv_stream* stream);
TOPV_API topv_status topv_stream_destroy(topv_context* ctx, topv_stream* stream); /* NULL is allowed */

/* Events order the work of different streams, of different contexts or libraries, too. */
TOPV_API topv_status topv_event_create(topv_context* ctx, topv_event** out);
/* Wraps a native event of the caller's (CUevent_st*); TOPV_UNSUPPORTED on the CPU. Destroying it leaves that alive. */
TOPV_API topv_status topv_event_wrap(topv_context* ctx, void* native_event, topv_event** out);
/* Puts event behind the work that stream has been given up to now. An event may be recorded again. */
TOPV_API topv_status topv_event_record(topv_context* ctx, topv_stream* stream, topv_event* event);
/* What stream is given from now on begins when event is reached; the caller does not wait. event may be another context's
 * of the same backend. */
TOPV_API topv_status topv_event_wait(topv_context* ctx, topv_stream* stream, topv_event* event);
/* Waits for end; *milliseconds [host] is the time from begin to end, both recorded before. */
TOPV_API topv_status topv_event_elapsed(topv_context* ctx, topv_event* begin, topv_event* end, float* milliseconds);
TOPV_API topv_status topv_event_destroy(topv_context* ctx, topv_event* event); /* NULL is allowed */

/* Graphs repeat a sequence of operations at the price of one call (CUDA; TOPV_UNSUPPORTED on the CPU). Between begin and
 * end, operations and device-to-device copies on stream are recorded, not done; what waits for the stream or copies from
 * or to the host is TOPV_INVALID_ARGUMENT. Params are recorded by value: memory that they name is read and written at
 * each launch and must live as long as the graph. A graph is launched on the stream that recorded it, and destroyed
 * before that. Operations work the same way alone and in a graph. */
TOPV_API topv_status topv_graph_begin(topv_context* ctx, topv_stream* stream);
TOPV_API topv_status topv_graph_end(topv_context* ctx, topv_stream* stream, topv_graph** out);
TOPV_API topv_status topv_graph_launch(topv_context* ctx, topv_stream* stream, topv_graph* graph);
TOPV_API topv_status topv_graph_destroy(topv_context* ctx, topv_graph* graph); /* NULL is allowed */

/* Maps a whole file read-only, of any size; an empty file gives *data = NULL, *bytes = 0. */
TOPV_API topv_status topv_map_file(const char* path, const void** data, int64_t* bytes);
TOPV_API topv_status topv_unmap_file(const void* data, int64_t bytes);
/* What a mapped file's bytes data .. data + bytes take of this process's memory is given back. They stay readable: what is
 * read again comes from the file again. */
TOPV_API topv_status topv_release_file(const void* data, int64_t bytes);

/* Peak resident memory of this process in bytes, 0 if unknown. */
TOPV_API int64_t topv_peak_memory(void);

/* ---------------------------------------------------------------- gemm ----------------------------------------- */

#define TOPV_MAX_PARTS 4

/* A weight matrix W [n, k], given as up to TOPV_MAX_PARTS blocks of rows that are stacked (fused Q, K and V, or gate
 * and up). Part i is rows[i] x k, row-major and dense, dtype F32, F16 or BF16, in host memory or in the device's. The CPU
 * backend reads a part in place where dtype == compute: the memory must then outlive the weight. A GPU backend has
 * copied it. */
typedef struct topv_weight_params {
  const void* parts[TOPV_MAX_PARTS]; /* [host], or all in device memory: see on_device */
  int64_t rows[TOPV_MAX_PARTS];      /* >= 1 each */
  int32_t part_count;                /* 1 .. TOPV_MAX_PARTS */
  int32_t dtype;                     /* topv_dtype of the parts */
  int32_t compute;                   /* TOPV_F32 or TOPV_BF16: dtype of the products; sums are float32 */
  int64_t k;                         /* >= 1 */
  int32_t on_device;                 /* 0 or 1: the parts are in device memory, complete when the call is made */
} topv_weight_params;

TOPV_API topv_status topv_weight_create(topv_context* ctx, const topv_weight_params* params, topv_weight** out);
TOPV_API topv_status topv_weight_destroy(topv_context* ctx, topv_weight* weight); /* NULL is allowed */

typedef enum topv_activation {
  TOPV_ACTIVATION_NONE = 0,
  TOPV_ACTIVATION_GELU = 1,      /* x * Phi(x), exact (erf) */
  TOPV_ACTIVATION_GELU_TANH = 2, /* the tanh approximation */
  TOPV_ACTIVATION_QUICK_GELU = 3 /* x * sigmoid(1.702 x) */
} topv_activation;

/* The CUDA backend leaves products of more than a few rows to cuBLASLt 13, which it looks for at the first one: in the file
 * that the environment variable TOPV_CUBLASLT names, or else where CUDA and PyTorch install it. TOPV_UNSUPPORTED, with the
 * places, where it is missing.
 * c[i, j] = activation( sum_k a[i, k] W[j, k] + bias[j] ) + (accumulate ? c[i, j] : 0) */
typedef struct topv_gemm_params {
  const void* a;        /* [m, k], dtype = the weight's compute dtype */
  const topv_weight* w; /* [n, k] */
  const float* bias;    /* nullable, [n] */
  void* c;              /* [m, n] */
  int64_t m, lda, ldc;  /* m >= 0, lda >= k, ldc >= n */
  int32_t c_dtype;      /* F32, or the compute dtype */
  int32_t activation;   /* topv_activation */
  int32_t accumulate;   /* 0 or 1: adds the old c (the residual) after the activation */
} topv_gemm_params;

TOPV_API topv_status topv_gemm(topv_context* ctx, topv_stream* stream, const topv_gemm_params* params);

/* ---------------------------------------------------------------- norms, elementwise --------------------------- */

/* y[i, :] = x[i, :] / sqrt(mean(x[i, :]^2) + eps) * weight ; statistics in float32. y may equal x. */
typedef struct topv_rms_norm_params {
  const void* x;       /* [rows, cols] */
  const float* weight; /* [cols] */
  void* y;             /* [rows, cols] */
  int64_t rows, cols, ldx, ldy;
  float eps;
  int32_t dtype; /* of x and y: F32 or BF16 */
} topv_rms_norm_params;

TOPV_API topv_status topv_rms_norm(topv_context* ctx, topv_stream* stream, const topv_rms_norm_params* params);

/* y = (x - mean) / sqrt(var + eps) * weight + bias over each row (biased variance), float32 statistics. */
typedef struct topv_layer_norm_params {
  const void* x;       /* [rows, cols] */
  const float* weight; /* [cols] */
  const float* bias;   /* [cols] */
  void* y;             /* [rows, cols], may equal x */
  int64_t rows, cols, ldx, ldy;
  float eps;
  int32_t dtype; /* F32 or BF16 */
} topv_layer_norm_params;

TOPV_API topv_status topv_layer_norm(topv_context* ctx, topv_stream* stream, const topv_layer_norm_params* params);

/* y[i, j] = silu(x[i, j]) * x[i, cols + j]: the gate and up halves of one fused product. silu(t) = t / (1 + exp(-t)). */
typedef struct topv_silu_mul_params {
  const void* x; /* [rows, 2 * cols] */
  void* y;       /* [rows, cols], must not overlap x */
  int64_t rows, cols, ldx, ldy;
  int32_t dtype; /* F32 or BF16 */
} topv_silu_mul_params;

TOPV_API topv_status topv_silu_mul(topv_context* ctx, topv_stream* stream, const topv_silu_mul_params* params);

/* y = activation(x) elementwise; y may equal x. */
typedef struct topv_gelu_params {
  const void* x; /* [rows, cols] */
  void* y;       /* [rows, cols] */
  int64_t rows, cols, ldx, ldy;
  int32_t activation; /* topv_activation other than NONE */
  int32_t dtype;      /* F32 or BF16 */
} topv_gelu_params;

TOPV_API topv_status topv_gelu(topv_context* ctx, topv_stream* stream, const topv_gelu_params* params);

/* Rotary position embedding in place, GPT-NeoX pairing (element i with i + D/2), as LLaMA checkpoints in Hugging Face
 * format expect. The scaling scheme is in the table: row p holds cos(p f_0) .. cos(p f_{D/2-1}), sin(p f_0) .. */
typedef struct topv_rope_params {
  void* x;                  /* [T, heads, D], head stride D */
  const float* cos_sin;     /* [max_positions, D]: D/2 cosines, then D/2 sines */
  const int32_t* positions; /* [T], each in [0, max_positions) */
  int64_t tokens, ldx;      /* ldx >= heads * D */
  int64_t max_positions;
  int32_t heads, head_dim; /* head_dim a multiple of 8 */
  int32_t dtype;           /* F32 or BF16 */
} topv_rope_params;

TOPV_API topv_status topv_rope(topv_context* ctx, topv_stream* stream, const topv_rope_params* params);

/* ---------------------------------------------------------------- embeddings ----------------------------------- */

/* y[t, :] = table[ids[t], :], converted from table_dtype to dtype. */
typedef struct topv_embed_params {
  const int32_t* ids; /* [T], each in [0, vocab) */
  const void* table;  /* [V, C] dense */
  void* y;            /* [T, C] */
  int64_t tokens, vocab, cols, ldy;
  int32_t table_dtype; /* F32, F16 or BF16 */
  int32_t dtype;       /* F32 or BF16 */
} topv_embed_params;

TOPV_API topv_status topv_embed(topv_context* ctx, topv_stream* stream, const topv_embed_params* params);

/* ViT patch embedding: images [B, 3, height, width] float32 are cut into patch x patch squares (row-major grid), each
 * flattened channel-first (3, patch, patch) and multiplied with w. Per image the rows are: the class embedding (when
 * given), then grid_h * grid_w patches; position[r] is added to row r. */
typedef struct topv_patch_embed_params {
  const float* pixels;   /* [B, 3, height, width] */
  const topv_weight* w;  /* [C, 3 * patch * patch] */
  const float* bias;     /* nullable, [C] */
  const float* cls;      /* nullable, [C] */
  const float* position; /* [rows per image, C] */
  void* y;               /* [B * rows per image, C] dense */
  int32_t batch, height, width, patch; /* height and width are multiples of patch */
  int32_t dtype;         /* of y; = the weight's compute dtype */
} topv_patch_embed_params;

TOPV_API topv_status topv_patch_embed(topv_context* ctx, topv_stream* stream, const topv_patch_embed_params* params);

/* dst[i, :] = src[index[i], :]. src and dst must not overlap. */
typedef struct topv_rows_gather_params {
  const void* src;      /* [src_rows, row_bytes], rows src_stride_bytes apart */
  void* dst;            /* [count, row_bytes], rows dst_stride_bytes apart */
  const int32_t* index; /* [count], each in [0, src_rows) */
  int64_t count, src_rows, row_bytes, src_stride_bytes, dst_stride_bytes;
} topv_rows_gather_params;

TOPV_API topv_status topv_rows_gather(topv_context* ctx, topv_stream* stream, const topv_rows_gather_params* params);

/* ---------------------------------------------------------------- KV cache, attention -------------------------- */

/* Paged KV cache, FlashAttention's layout: k and v are [pages, P, Hkv, D]. Slot s is token s % P of page s / P.
 * k_cache[slot[t]] = k[t], v_cache[slot[t]] = v[t]; a slot of -1 writes nothing. What a slot holds that two tokens name
 * is undefined. */
typedef struct topv_kv_append_params {
  const void* k;          /* [T, Hkv, D], head stride D */
  const void* v;          /* [T, Hkv, D], head stride D */
  void* k_cache;          /* [pages, P, Hkv, D] */
  void* v_cache;          /* [pages, P, Hkv, D] */
  const int32_t* slots;   /* [T], each -1 or in [0, pages * P) */
  int64_t tokens, ldk, ldv, cache_slots; /* cache_slots = pages * P */
  int32_t kv_heads, head_dim;
  int32_t dtype; /* F32 or BF16 */
} topv_kv_append_params;

TOPV_API topv_status topv_kv_append(topv_context* ctx, topv_stream* stream, const topv_kv_append_params* params);

/* rope(q), rope(k), then kv_append(k, v): what a layer does with its fused rows of q, k and v, in one pass and with the
 * same bits. k is rotated in place, too. */
typedef struct topv_rope_append_params {
  void* q;                  /* [T, Hq, D], head stride D */
  void* k;                  /* [T, Hkv, D], head stride D */
  const void* v;            /* [T, Hkv, D], head stride D */
  const float* cos_sin;     /* [max_positions, D]: D/2 cosines, then D/2 sines */
  const int32_t* positions; /* [T], each in [0, max_positions) */
  void* k_cache;            /* [pages, P, Hkv, D] */
  void* v_cache;            /* [pages, P, Hkv, D] */
  const int32_t* slots;     /* [T], each -1 or in [0, pages * P) */
  int64_t tokens, ldq, ldk, ldv, max_positions, cache_slots; /* cache_slots = pages * P */
  int32_t q_heads, kv_heads, head_dim;                       /* head_dim a multiple of 8 */
  int32_t dtype;                                             /* F32 or BF16 */
} topv_rope_append_params;

TOPV_API topv_status topv_rope_append(topv_context* ctx, topv_stream* stream, const topv_rope_append_params* params);

/* Moves KV rows of several layers: for each layer l and i: cache_l[dst_slots[i]] = cache_l[src_slots[i]], in ascending
 * i as if one after the other, so that a compaction (dst_slots[i] <= src_slots[i], both ascending) may work in place. */
typedef struct topv_kv_gather_params {
  void** k_caches;          /* [host] array of layer_count device pointers, each [pages, P, Hkv, D] */
  void** v_caches;          /* [host] the same for v */
  const int32_t* src_slots; /* [count] */
  const int32_t* dst_slots; /* [count] */
  int64_t count, cache_slots;
  int32_t layer_count, kv_heads, head_dim;
  int32_t dtype; /* F32 or BF16 */
} topv_kv_gather_params;

TOPV_API topv_status topv_kv_gather(topv_context* ctx, topv_stream* stream, const topv_kv_gather_params* params);

/* out = softmax(scale * q k^T + mask) v per sequence and head, by online softmax: no T x T matrix is formed.
 * Query head h reads KV head h / (Hq / Hkv). Sequence b's queries are rows cu_seqlens_q[b] .. cu_seqlens_q[b+1].
 * Its keys are either
 *   contiguous (block_table NULL): rows cu_seqlens_k[b] .. cu_seqlens_k[b+1] of k and v, or
 *   paged: the first seqlens_k[b] tokens of the pages block_table[b, 0..] of the caches k and v [pages, P, Hkv, D].
 * Causal masks align the last query with the last key (FlashAttention): query i of lq sees key j of lk when
 * j <= i + lk - lq. A query that sees no key gives zeros and lse = -inf. */
typedef struct topv_attention_params {
  const void* q;               /* [Tq, Hq, D], head stride D */
  const void* k;               /* contiguous [Tk, Hkv, D], head stride D; or the cache */
  const void* v;               /* as k */
  void* out;                   /* [Tq, Hq, D], head stride D */
  float* lse;                  /* nullable, [Hq, Tq]: log-sum-exp of the scaled scores */
  const int32_t* cu_seqlens_q; /* [B + 1], ascending from 0 */
  const int32_t* cu_seqlens_k; /* [B + 1]; NULL when paged */
  const int32_t* seqlens_k;    /* [B]; NULL when contiguous */
  const int32_t* block_table;  /* [B, max_pages]; NULL when contiguous */
  int64_t ldq, ldk, ldv, ldo;  /* row strides; ldk and ldv are ignored when paged */
  int32_t batch, max_seqlen_q, max_seqlen_k;
  int32_t page_size, max_pages, page_count; /* paged only; page_count = pages in the cache */
  int32_t q_heads, kv_heads, head_dim;      /* Hq a multiple of Hkv; D a multiple of 8, at most 256 */
  int32_t causal;                           /* 0 or 1 */
  float scale;                              /* usually 1 / sqrt(D) */
  int32_t dtype;                            /* of q, k, v, out: F32, BF16, or F16 (TOPV_UNSUPPORTED on the CPU) */
} topv_attention_params;

/* Any query lengths. */
TOPV_API topv_status topv_attention_prefill(topv_context* ctx, topv_stream* stream, const topv_attention_params* params);
/* Exactly one query per sequence (cu_seqlens_q[b] = b): bound by the bandwidth of the cache. */
TOPV_API topv_status topv_attention_decode(topv_context* ctx, topv_stream* stream, const topv_attention_params* params);

/* ---------------------------------------------------------------- sampling ------------------------------------- */

/* Penalties on tokens that have been seen. Entry i is of token t = ids[i] in row b = rows[i]; no two are of the same token
 * and row. In place, in float32:
 *   x = logits[b, t];  y = x > 0 ? x / repetition[b] : x * repetition[b];
 *   logits[b, t] = times[i] > 0 ? (y - presence[b]) - frequency[b] * times[i] : y      (the last step is one fma) */
typedef struct topv_penalize_params {
  float* logits;            /* [B, V] */
  const int32_t* rows;      /* [count], each in [0, B) */
  const int32_t* ids;       /* [count], each in [0, V) */
  const int32_t* times;     /* [count], each >= 0: how often the answer has the token; 0 = only the prompt has it */
  const float* repetition;  /* [B], finite, > 0 */
  const float* presence;    /* [B], finite */
  const float* frequency;   /* [B], finite */
  int64_t batch, vocab, ldl, count; /* ldl >= vocab */
} topv_penalize_params;

TOPV_API topv_status topv_penalize(topv_context* ctx, topv_stream* stream, const topv_penalize_params* params);

/* The next token of every sequence. Row b of the logits is read with the settings of row b, all in device memory, so that
 * a captured graph may be launched again with others:
 *   temperature 0: the largest logit, ties to the lower index.
 *   Else the tokens are taken in order of descending logit, ties to the lower index, and weighed with
 *   exp((logit - largest) / temperature). Of this order a prefix is kept, cut three times: to the top_k first tokens; to
 *   weights of at least min_p (that of the first token is 1); to the fewest tokens whose weights reach top_p of the sum
 *   that is left. The choice is the first token at which the sum of the weights exceeds u times the sum of those kept.
 *   u = (w + 0.5) * 2^-32, where w is the first word of Philox4x32-10 for the key (seed[0], seed[1]) and the counter
 *   (counter[0], counter[1], 0, 0).
 * The same bits choose the same token on every backend: weights are whole multiples of 2^-40, found by arithmetic without
 * freedom (native/src/sampling.hpp). A logit that is NaN, and a setting outside its range, are TOPV_INVALID_ARGUMENT. */
typedef struct topv_sample_params {
  const float* logits;      /* [B, V] */
  const float* temperature; /* nullable, [B], finite, >= 0; NULL = zeros */
  const int32_t* top_k;     /* nullable, [B], >= 0; 0 = all */
  const float* top_p;       /* nullable, [B], in (0, 1]; 1 = all */
  const float* min_p;       /* nullable, [B], in [0, 1]; 0 = all */
  const int32_t* seed;      /* nullable, [B, 2]: unsigned words, low first; NULL = zeros */
  const int32_t* counter;   /* nullable, [B, 2]: likewise */
  int32_t* tokens;          /* [B]: the chosen token */
  float* logprob;           /* nullable, [B]: its log probability by the logits alone: no temperature, no cuts */
  int64_t batch, vocab, ldl; /* vocab in 1 .. 2^23, ldl >= vocab */
} topv_sample_params;

TOPV_API topv_status topv_sample(topv_context* ctx, topv_stream* stream, const topv_sample_params* params);

/* ---------------------------------------------------------------- TopV ----------------------------------------- */
/* TopV (Yang et al., CVPR 2025, arXiv 2503.18278); what is published and what is derived: docs/topv.md.
 * A batch holds I images; image m has N_m = grid_w[m] * grid_h[m] tokens, numbered row by row. Token arrays are packed
 * over the images: image m begins at sum of N_0 .. N_{m-1}; its matrix begins at the sum of the squares. */

/* C[i, j] = alpha * Cf[i, j] + beta * Cs[i, j] + gamma * Ce[i]
 *   Cf = |S_i - T_j|^2, scaled to [0, 1] by the minimum and maximum of the image's matrix (0 where all are equal)
 *   Cs = 1 - exp(-((x_i - x_j)^2 + (y_i - y_j)^2) / (2 sigma^2))      grid units
 *   Ce = sqrt((x_i - (W-1)/2)^2 + (y_i - (H-1)/2)^2)                  grid units */
typedef struct topv_transport_cost_params {
  const void* source;           /* rows of C features: S_i = source[row_index[i]] (or row i) */
  const void* target;           /* likewise T_j */
  const int32_t* row_index;     /* nullable, [sum N]: row of each visual token in source and target */
  const int32_t* grid_w;        /* [host] [images], >= 1 */
  const int32_t* grid_h;        /* [host] [images], >= 1 */
  float* cost;                  /* [sum N_m^2] */
  float* source_norm;           /* [sum N]: |S_i| */
  float* target_norm;           /* [sum N]: |T_j| */
  int64_t ld_source, ld_target; /* row strides, >= cols */
  int64_t rows;                 /* rows in source and in target */
  int64_t cols;                 /* features per row */
  int32_t images;               /* >= 1 */
  float alpha, beta, gamma;     /* finite */
  float sigma;                  /* > 0, grid units */
  int32_t dtype;                /* of source and target: F32 or BF16; the arithmetic is float32 */
} topv_transport_cost_params;

TOPV_API topv_status topv_transport_cost(topv_context* ctx, topv_stream* stream,
                                         const topv_transport_cost_params* params);

typedef enum topv_solver {
  TOPV_SOLVER_ONE_SIDED = 0,   /* v = q / (K' 1);  I = K v                                        (iterations ignored) */
  TOPV_SOLVER_UNBALANCED = 1,  /* u = (p / K v)^r, v = (q / K' u)^r, r = lambda / (lambda + eps); I = u * (K v) */
  TOPV_SOLVER_PRINTED = 2,     /* as the secondary source prints it: v = q / (K' e^(u/eps)), u = p / (K e^(v/eps));
                                  I = u * (K v); K is not shifted */
  TOPV_SOLVER_STANDARD_UV = 3, /* u = p / (K v), then v = q / (K' u);  I = u * (K v) */
  TOPV_SOLVER_STANDARD_VU = 4  /* v = q / (K' u), then u = p / (K v):  I = p exactly - the control, never a default */
} topv_solver;

/* Importance of each source token: row sums of the contribution matrix P, K = exp(-(C - min C) / epsilon), u = v = 1 (for
 * PRINTED u = v = 0) at the start. p and q are the weights below divided by their sum, uniform where NULL.
 * The result is finite wherever the mathematics is, however small epsilon. A cost that is not finite, a weight that is
 * negative or not finite, and weights that are all zero are TOPV_INVALID_ARGUMENT. Where the importance itself leaves
 * float32 (an overflow, or zeros throughout: PRINTED is doubly exponential) the call is TOPV_UNSUPPORTED. */
typedef struct topv_sinkhorn_params {
  const float* cost;            /* [sum N_m^2] */
  const float* source_weight;   /* nullable, [sum N] >= 0: p before scaling */
  const float* target_weight;   /* nullable, [sum N] >= 0: q before scaling */
  const int32_t* tokens;        /* [host] [images]: N_m >= 1 */
  float* importance;            /* [sum N] */
  int32_t images, iterations;   /* iterations in 1 .. 10000 */
  int32_t solver;               /* topv_solver */
  float epsilon;                /* > 0 */
  float lambda;                 /* > 0, UNBALANCED only */
} topv_sinkhorn_params;

TOPV_API topv_status topv_sinkhorn(topv_context* ctx, topv_stream* stream, const topv_sinkhorn_params* params);

/* Per image: the top[m] tokens of largest importance (ties to the lower index; NaN counts as -inf), then from the
 * others, ascending, every recover_every-th beginning with the first. Writes the kept indices ascending, counted from
 * the image's first token, packed over the images: image m gives
 *   K_m = top[m] + (recover_every > 0 ? ceil((N_m - top[m]) / recover_every) : 0). */
typedef struct topv_token_select_params {
  const float* importance; /* [sum N] */
  const int32_t* tokens;   /* [host] [images]: N_m >= 1 */
  const int32_t* top;      /* [host] [images]: 0 .. N_m */
  int32_t* kept;           /* [sum K_m] */
  int32_t images;          /* >= 1 */
  int32_t recover_every;   /* 0 = no recovery */
} topv_token_select_params;

TOPV_API topv_status topv_token_select(topv_context* ctx, topv_stream* stream, const topv_token_select_params* params);

#ifdef __cplusplus
}
#endif
#endif /* TOPV_H */
