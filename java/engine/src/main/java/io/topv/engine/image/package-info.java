/** From an image file to the pixel values a vision tower sees, equal to Pillow and transformers. */
package io.topv.engine.image;
