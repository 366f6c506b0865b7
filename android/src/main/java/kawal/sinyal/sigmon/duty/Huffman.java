package kawal.sinyal.sigmon.duty;

import java.io.IOException;

/** The code of RFC 7541, appendix B. It is canonical: the lengths alone give it. */
final class Huffman {
  /** Bits of each byte's code, a letter each: `a` is 5. The end of text, of 30 bits, stands behind all. */
  private static final String lengths = 
      "isxxxxxxxtzxxzxxxxxxxxzxxxxxxxxxbffhibdgffdgdbbbaaabbbbbbbcdkbhfibccccccccccccccccccccccdcdioijbkabababbbaccbbbabcbaabccccckgjix"
      + "prpprrrsrssssststtrstssssqrsrsstrqprrssqsrrtqrssqqrqsrssprrrsrrsvvporsruvvvwwvtuoqvwwvwtqqvvxwwwptpqrqqsrruuttvsvwvvwwwwwxwwwwwv";
  private static final int bits_max = 30;
  /** By length: how many codes there are, and the bytes in the order of their codes. */
  private static final int[] counts = new int[bits_max + 1];
  private static final int[] ordered = new int[lengths.length()];

  static {
    int place = 0;
    for (int bits = 5; bits <= bits_max; bits++)
      for (int value = 0; value < lengths.length(); value++)
        if (lengths.charAt(value) - 'a' + 5 == bits) {
          counts[bits]++;
          ordered[place++] = value;
        }
  }

  private Huffman() {}

  static String decode(byte[] bytes, int from, int length) throws IOException {
    StringBuilder text = new StringBuilder();
    int code = 0;
    int first = 0;
    int place = 0;
    int bits = 0;
    for (int i = 0; i < length * 8; i++) {
      code = code << 1 | (bytes[from + i / 8] >> (7 - i % 8) & 1);
      first <<= 1;
      if (++bits > bits_max) throw new IOException("no code");
      if (code - first < counts[bits]) {
        text.append((char) ordered[place + code - first]);
        code = first = place = bits = 0;
      } else {
        place += counts[bits];
        first += counts[bits];
      }
    }
    // What is left is filled up with ones.
    if (bits > 7 || code != (1 << bits) - 1) throw new IOException("no code");
    return text.toString();
  }
}
