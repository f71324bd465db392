/** Checkpoints: memory-mapped safetensors files, checked before anything in them is believed. */
package io.topv.engine.weights;
