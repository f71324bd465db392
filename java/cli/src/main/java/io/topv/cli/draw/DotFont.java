package io.topv.cli.draw;

/** A font of five by seven dots for printable ASCII, for machines that have none. */
final class DotFont {
  static final int WIDTH = 5;
  static final int HEIGHT = 7;

  /**
   * A group per character from the space on, a sign per row from the top: its value in base 32, the
   * leftmost dot the highest bit.
   */
  private static final String[] GLYPHS =
      ("0000000 4444404 aa00000 aavavaa 4fke5u4 op248j3 cik8lid 4400000 2488842 8422248 04lel40 "
              + "044v440 0000c48 000v000 00000cc 11248gg ehjlphe 4c4444e eh1248v eh161he 26aiv22 vgu11he "
              + "68guhhe v124888 ehhehhe ehhf12c 0cc0cc0 0cc0c48 248g842 00v0v00 8421248 eh12404 ehnlnge "
              + "ehhvhhh uhhuhhu ehggghe uhhhhhu vgguggv vgguggg ehgnhhf hhhvhhh e44444e 72222ic hikokih "
              + "ggggggv hrllhhh hhpljhh ehhhhhe uhhuggg ehhhlid uhhukih fgge11u v444444 hhhhhhe hhhhha4 "
              + "hhhllrh hha4ahh hha4444 v1248gv e88888e gg84211 e22222e 4ah0000 000000v 8400000 00e1fhf "
              + "gguhhhu 00egghe 11fhhhf 00ehvge 698s888 00fhf1e gguhhhh 40c444e 20622ic ggikoki c44444e "
              + "00qllll 00uhhhh 00ehhhe 00uhugg 00fhf11 00mpggg 00fge1u 88s8896 00hhhhf 00hhha4 00hhlla "
              + "00ha4ah 00hhf1e 00v248v 2448442 4444444 8442448 008l200")
          .split(" ");

  private DotFont() {}

  /** Whether a dot is set; what is not printable ASCII reads as a question mark. */
  static boolean isSet(int codePoint, int row, int column) {
    int character = codePoint < ' ' || codePoint > '~' ? '?' : codePoint;
    int bits = Character.digit(GLYPHS[character - ' '].charAt(row), 32);
    return (bits >> (WIDTH - 1 - column) & 1) == 1;
  }
}
