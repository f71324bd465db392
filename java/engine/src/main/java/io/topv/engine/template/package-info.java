/**
 * Chat templates: the part of Jinja that Hugging Face models use, rendered as transformers does.
 */
package io.topv.engine.template;
