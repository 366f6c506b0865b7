package kawal.sinyal.sigmon.duty;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/** HTTP/1.1 (RFC 9112), as far as the platform and the targets speak it. */
final class Http1 implements Talk {
  private static final int head_bytes_max = 16_384;
  /** Nobody but a stranger answers with more. */
  private static final int body_bytes_max = 64_000;
  private final Pipe pipe;
  private final String authority;
  private boolean isOpen = true;
  private boolean wasTouched = false;

  Http1(Pipe pipe, String authority) {
    this.pipe = pipe;
    this.authority = authority;
  }

  @Override public Answer ask(String method, String path, Map<String, String> headers, byte[] body, int timeout_ms, boolean isAnew) throws IOException {
    wasTouched = false;
    pipe.within(System.nanoTime() + timeout_ms * 1_000_000L);
    ByteArrayOutputStream request = new ByteArrayOutputStream();
    StringBuilder head = new StringBuilder(method + ' ' + path + " HTTP/1.1\r\nhost: " + authority + "\r\n");
    for (Map.Entry<String, String> header : headers.entrySet()) head.append(header.getKey()).append(": ").append(header.getValue()).append("\r\n");
    if (body != null) head.append("content-length: ").append(body.length).append("\r\n");
    request.write(head.append("\r\n").toString().getBytes(StandardCharsets.ISO_8859_1));
    if (body != null) request.write(body);
    pipe.write(request.toByteArray());
    long asked = System.nanoTime();
    String status = line();
    double rtt_ms = firstByte(asked);
    while (status.startsWith("HTTP/1.1 1")) {
      headers();
      status = line();
    }
    if (!status.matches("HTTP/1\\.[01] [2-5][0-9]{2}.*")) throw new IOException("no HTTP: " + status);
    int code = Integer.parseInt(status.substring(9, 12));
    Map<String, String> got = headers();
    isOpen = status.startsWith("HTTP/1.1") && !"close".equalsIgnoreCase(got.get("connection"));
    boolean isBare = method.equals("HEAD") || code == 204 || code == 304;
    return new Answer(code, got, isBare ? new byte[0] : body(got), rtt_ms, isAnew);
  }

  private long first_ns;

  private double firstByte(long asked) {
    return (first_ns - asked) / 1e6;
  }

  private String line() throws IOException {
    StringBuilder line = new StringBuilder();
    for (int i = 0; i < head_bytes_max; i++) {
      int next = pipe.read();
      if (!wasTouched) first_ns = System.nanoTime();
      wasTouched = true;
      if (next == '\n') return line.toString();
      if (next != '\r') line.append((char) next);
    }
    throw new IOException("a line without an end");
  }

  private Map<String, String> headers() throws IOException {
    Map<String, String> headers = new HashMap<>();
    for (int i = 0; i < 100; i++) {
      String line = line();
      if (line.isEmpty()) return headers;
      int colon = line.indexOf(':');
      if (colon > 0) headers.put(line.substring(0, colon).trim().toLowerCase(Locale.ROOT), line.substring(colon + 1).trim());
    }
    throw new IOException("headers without an end");
  }

  private byte[] body(Map<String, String> headers) throws IOException {
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    if ("chunked".equalsIgnoreCase(headers.get("transfer-encoding"))) {
      while (body.size() <= body_bytes_max) {
        int size = size(line().split(";")[0].trim(), 16);
        if (size == 0) {
          headers();
          return body.toByteArray();
        }
        if (size > body_bytes_max) break;
        body.write(pipe.read(size));
        line();
      }
    } else if (headers.containsKey("content-length")) {
      int size = size(headers.get("content-length"), 10);
      if (size <= body_bytes_max) return pipe.read(size);
    } else {
      isOpen = false;
      try {
        while (body.size() < body_bytes_max) body.write(pipe.read());
      } catch (EOFException end) {
        // That is how such a body ends.
      }
      return body.toByteArray();
    }
    isOpen = false;
    return body.toByteArray();
  }

  private static int size(String text, int radix) throws IOException {
    try {
      int size = Integer.parseInt(text, radix);
      if (size >= 0) return size;
    } catch (NumberFormatException none) {
      // Said below.
    }
    throw new IOException("no length: " + text);
  }

  @Override public boolean wasTouched() {
    return wasTouched;
  }

  @Override public boolean isOpen() {
    return isOpen;
  }
}
