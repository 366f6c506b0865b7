package kawal.sinyal.sigmon.duty;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Deterministic CBOR (RFC 8949, section 4.2.1) of what reports need: whole numbers, fractions, text, lists, true, false and null. */
final class Cbor {
  private static final int depth_max = 8;
  private final byte[] bytes;
  private int at = 0;

  private Cbor(byte[] bytes) {
    this.bytes = bytes;
  }

  /** @param value null, a Boolean, Number, String or List of these */
  static byte[] encode(Object value) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    write(out, value);
    return out.toByteArray();
  }

  /** @throws IllegalArgumentException for bytes that are none of these, or more than one value */
  static Object decode(byte[] bytes) {
    Cbor reader = new Cbor(bytes);
    Object value;
    try {
      value = reader.read(0);
    } catch (IndexOutOfBoundsException cut) {
      throw new IllegalArgumentException("cut off after " + bytes.length + " bytes");
    }
    if (reader.at != bytes.length) throw new IllegalArgumentException("more than one value");
    return value;
  }

  private static void write(ByteArrayOutputStream out, Object value) {
    if (value == null) out.write(0xf6);
    else if (value instanceof Boolean) out.write((Boolean) value ? 0xf5 : 0xf4);
    else if (value instanceof List) {
      List<?> list = (List<?>) value;
      head(out, 4, list.size());
      for (Object each : list) write(out, each);
    } else if (value instanceof Number) number(out, (Number) value);
    else {
      byte[] text = String.valueOf(value).getBytes(StandardCharsets.UTF_8);
      head(out, 3, text.length);
      out.write(text, 0, text.length);
    }
  }

  private static void number(ByteArrayOutputStream out, Number value) {
    double real = value.doubleValue();
    if (real == Math.rint(real) && Math.abs(real) <= 9_007_199_254_740_991d) {
      long whole = value.longValue();
      if (whole >= 0) head(out, 0, whole);
      else head(out, 1, -1 - whole);
    } else fraction(out, real);
  }

  /** The shortest that loses nothing: 16, 32 or 64 bits. */
  private static void fraction(ByteArrayOutputStream out, double real) {
    float single = (float) real;
    if (single != real) {
      out.write(0xfb);
      big(out, Double.doubleToLongBits(real), 8);
      return;
    }
    int bits = Float.floatToIntBits(single);
    int exponent = ((bits >>> 23) & 255) - 127;
    if (exponent >= -14 && exponent <= 15 && (bits & 0x1fff) == 0) {
      out.write(0xf9);
      big(out, ((bits >>> 16) & 0x8000) | ((exponent + 15) << 10) | ((bits & 0x7fffff) >>> 13), 2);
    } else {
      out.write(0xfa);
      big(out, bits, 4);
    }
  }

  private static void head(ByteArrayOutputStream out, int major, long size) {
    int type = major << 5;
    if (size < 24) out.write(type | (int) size);
    else {
      int width = size < 0x100 ? 0 : size < 0x10000 ? 1 : size < 0x100000000L ? 2 : 3;
      out.write(type | (24 + width));
      big(out, size, 1 << width);
    }
  }

  private static void big(ByteArrayOutputStream out, long value, int width) {
    for (int shift = (width - 1) * 8; shift >= 0; shift -= 8) out.write((int) (value >>> shift) & 255);
  }

  private Object read(int depth) {
    if (depth > depth_max) throw new IllegalArgumentException("nested too deep");
    int first = bytes[at++] & 255;
    int major = first >> 5;
    int small = first & 31;
    if (major == 7) return simple(small);
    if (small > 27) throw new IllegalArgumentException("a length that is not given");
    long size = small < 24 ? small : big(1 << (small - 24));
    if (major == 0) return size;
    if (major == 1) return -1 - size;
    if (size < 0 || size > bytes.length - at) throw new IllegalArgumentException("a length past the end");
    if (major == 3) {
      at += (int) size;
      return new String(bytes, at - (int) size, (int) size, StandardCharsets.UTF_8);
    }
    if (major != 4) throw new IllegalArgumentException("a type that no receipt has");
    List<Object> list = new ArrayList<>();
    for (long i = 0; i < size; i++) list.add(read(depth + 1));
    return list;
  }

  private Object simple(int small) {
    if (small == 20 || small == 21) return small == 21;
    if (small == 22) return null;
    if (small == 26) return (double) Float.intBitsToFloat((int) big(4));
    if (small == 27) return Double.longBitsToDouble(big(8));
    throw new IllegalArgumentException("a type that no receipt has");
  }

  private long big(int width) {
    long value = 0;
    for (int i = 0; i < width; i++) value = (value << 8) | (bytes[at++] & 255);
    return value;
  }
}
