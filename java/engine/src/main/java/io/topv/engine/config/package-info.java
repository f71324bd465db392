/**
 * config.json and generation_config.json as records; what is not supported is refused, never
 * ignored.
 */
package io.topv.engine.config;
