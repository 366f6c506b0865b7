package kawal.sinyal.sigmon.duty;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Headers of HTTP/2 (RFC 7541). */
final class Hpack {
  private static final int table_bytes = 4_096;
  /** A name and its value cost this more in a table (4.1). */
  private static final int entry_bytes = 32;
  /** Appendix A, from 1 on. */
  private static final String[] known = (":authority=|:method=GET|:method=POST|:path=/|:path=/index.html|:scheme=http|:scheme=https|:status=200|:status=204|:status=206|:status=304|"
      + ":status=400|:status=404|:status=500|accept-charset=|accept-encoding=gzip, deflate|accept-language=|accept-ranges=|accept=|"
      + "access-control-allow-origin=|age=|allow=|authorization=|cache-control=|content-disposition=|content-encoding=|content-language=|content-length=|"
      + "content-location=|content-range=|content-type=|cookie=|date=|etag=|expect=|expires=|from=|host=|if-match=|if-modified-since=|if-none-match=|if-range=|"
      + "if-unmodified-since=|last-modified=|link=|location=|max-forwards=|proxy-authenticate=|proxy-authorization=|range=|referer=|refresh=|retry-after=|"
      + "server=|set-cookie=|strict-transport-security=|transfer-encoding=|user-agent=|vary=|via=|www-authenticate=").split("\\|");

  private Hpack() {}

  /** The newest entry stands first, behind those that are known to all. */
  private static final class Table {
    final List<String[]> entries = new ArrayList<>();
    int size = 0;
    int size_max = table_bytes;

    void add(String name, String value) {
      entries.add(0, new String[] {name, value});
      size += name.length() + value.length() + entry_bytes;
      trim();
    }

    void bound(int bytes) {
      size_max = bytes;
      trim();
    }

    private void trim() {
      while (size > size_max) {
        String[] oldest = entries.remove(entries.size() - 1);
        size -= oldest[0].length() + oldest[1].length() + entry_bytes;
      }
    }

    String[] at(int index) throws IOException {
      if (index >= 1 && index <= known.length) {
        int sign = known[index - 1].indexOf('=');
        return new String[] {known[index - 1].substring(0, sign), known[index - 1].substring(sign + 1)};
      }
      if (index < 1 || index - known.length > entries.size()) throw new IOException("no header " + index);
      return entries.get(index - known.length - 1);
    }

    /** @return the place of the name with the value; of the name alone, negative; 0 for neither */
    int find(String name, String value) {
      int named = 0;
      for (int i = 0; i < known.length + entries.size(); i++) {
        String entry = i < known.length ? known[i] : entries.get(i - known.length)[0] + '=' + entries.get(i - known.length)[1];
        if (entry.equals(name + '=' + value)) return i + 1;
        if (named == 0 && entry.startsWith(name + '=')) named = -i - 1;
      }
      return named;
    }
  }

  /** Names every header but a length, which is another each time, so that it costs a byte next time. */
  static final class Writer {
    private final Table table = new Table();
    private int told = table_bytes;

    void bound(int bytes) {
      table.bound(bytes);
    }

    byte[] write(Map<String, String> headers) {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      if (told != table.size_max) {
        told = table.size_max;
        number(out, 0x20, 5, told);
      }
      for (Map.Entry<String, String> header : headers.entrySet()) {
        int place = table.find(header.getKey(), header.getValue());
        boolean isFleeting = header.getKey().equals("content-length") || header.getKey().equals("if-none-match");
        if (place > 0) number(out, 0x80, 7, place);
        else {
          number(out, isFleeting ? 0 : 0x40, isFleeting ? 4 : 6, -place);
          if (place == 0) text(out, header.getKey());
          text(out, header.getValue());
          if (!isFleeting) table.add(header.getKey(), header.getValue());
        }
      }
      return out.toByteArray();
    }

    private static void text(ByteArrayOutputStream out, String text) {
      byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
      number(out, 0, 7, bytes.length);
      out.write(bytes, 0, bytes.length);
    }

    /** 5.1: what does not fit into the first byte's last bits goes on in sevens. */
    private static void number(ByteArrayOutputStream out, int first, int bits, int value) {
      int most = (1 << bits) - 1;
      if (value < most) {
        out.write(first | value);
        return;
      }
      out.write(first | most);
      int rest = value - most;
      for (; rest >= 128; rest >>>= 7) out.write(rest & 127 | 128);
      out.write(rest);
    }
  }

  static final class Reader {
    private final Table table = new Table();
    private byte[] bytes;
    private int at;

    /** All blocks of a connection have to come here, in their order: they fill the table. */
    Map<String, String> read(byte[] block) throws IOException {
      bytes = block;
      at = 0;
      Map<String, String> headers = new LinkedHashMap<>();
      try {
        while (at < bytes.length) one(headers);
      } catch (IndexOutOfBoundsException cut) {
        throw new IOException("headers cut short");
      }
      return headers;
    }

    private void one(Map<String, String> headers) throws IOException {
      int first = bytes[at] & 255;
      if ((first & 0x80) != 0) {
        String[] entry = table.at(number(7));
        headers.put(entry[0], entry[1]);
      } else if ((first & 0xe0) == 0x20) {
        table.bound(Math.min(table_bytes, number(5)));
      } else {
        boolean isKept = (first & 0x40) != 0;
        int place = number(isKept ? 6 : 4);
        String name = place == 0 ? text() : table.at(place)[0];
        String value = text();
        if (isKept) table.add(name, value);
        headers.put(name, value);
      }
    }

    private int number(int bits) throws IOException {
      int most = (1 << bits) - 1;
      int value = bytes[at++] & most;
      if (value < most) return value;
      for (int shift = 0; shift <= 21; shift += 7) {
        int next = bytes[at++];
        value += (next & 127) << shift;
        if (next >= 0) return value;
      }
      throw new IOException("a number past its bound");
    }

    private String text() throws IOException {
      boolean isCoded = bytes[at] < 0;
      int length = number(7);
      if (length > bytes.length - at) throw new IOException("headers cut short");
      String text = isCoded ? Huffman.decode(bytes, at, length) : new String(bytes, at, length, StandardCharsets.ISO_8859_1);
      at += length;
      return text;
    }
  }
}
