/**
 * Where Java touches CUDA itself, through Bytedeco's preset: which GPUs there are, and memory and
 * streams that topv shares with other libraries or processes. Nothing here is needed to run a
 * model, and nothing is loaded before it is asked for.
 */
package io.topv.runtime.cuda;
