package io.topv.cli.draw;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class LetteringTest {
  @AfterEach
  void forget() {
    System.clearProperty("topv.font");
  }

  @Test
  void writesWithoutAnyFont() {
    System.setProperty("topv.font", "dots");
    assertThat(ink(Lettering.best(), "Kept: 265 of 576")).isBetween(100, 4000);
    assertThat(ink(Lettering.best(), " ")).isZero();
    assertThat(ink(Lettering.best(), "\u00e4")).isEqualTo(ink(Lettering.best(), "?"));
  }

  @Test
  void staysWithinTheWidthItReports() {
    for (String font : new String[] {"dots", ""}) {
      System.setProperty("topv.font", font);
      Lettering letters = Lettering.best();
      String text = "a rather long line of words";
      String fitted = letters.fit(text, 90, 14, false);
      assertThat(letters.width(fitted, 14, false)).isLessThanOrEqualTo(90);
      assertThat(fitted).endsWith("...").startsWith("a ra");
      assertThat(letters.fit(text, 1000, 14, false)).isEqualTo(text);
    }
  }

  @Test
  void everyPrintableCharacterHasItsOwnGlyph() {
    Set<String> seen = new HashSet<>();
    for (int c = ' '; c <= '~'; c++) {
      StringBuilder dots = new StringBuilder();
      for (int i = 0; i < DotFont.WIDTH * DotFont.HEIGHT; i++) {
        dots.append(DotFont.isSet(c, i / DotFont.WIDTH, i % DotFont.WIDTH) ? '#' : '.');
      }
      assertThat(seen.add(dots.toString())).as("%c", c).isTrue();
    }
  }

  private static int ink(Lettering letters, String text) {
    BufferedImage image = new BufferedImage(400, 60, BufferedImage.TYPE_INT_RGB);
    Graphics2D g = image.createGraphics();
    letters.draw(g, text, 10, 40, 20, false, Color.WHITE);
    g.dispose();
    int ink = 0;
    for (int y = 0; y < 60; y++) {
      for (int x = 0; x < 400; x++) {
        ink += (image.getRGB(x, y) & 0xffffff) != 0 ? 1 : 0;
      }
    }
    return ink;
  }
}
