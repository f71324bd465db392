/**
 * Where Java touches CUDA itself, through Bytedeco's preset: which GPUs there are, and memory,
 * streams and events that topv shares with other libraries or processes. Nothing here is needed to
 * run a model, and nothing is loaded before it is asked for.
 *
 * <p>Other libraries' handles go to {@link io.topv.runtime.Context#wrapStream}, {@link
 * io.topv.runtime.Context#wrapEvent} and {@link io.topv.runtime.DeviceBuffer#wrap}, as plain
 * addresses. What is made here belongs to a GPU that the call names, and must be alive as long as
 * what wraps it.
 */
package io.topv.runtime.cuda;
