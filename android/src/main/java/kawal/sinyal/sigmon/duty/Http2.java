package kawal.sinyal.sigmon.duty;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/** HTTP/2 (RFC 9113) with one request at a time: names that were sent once cost a byte from then on, which is two thirds of a report. */
final class Http2 implements Talk {
  private static final int data = 0;
  private static final int headers = 1;
  private static final int rst_stream = 3;
  private static final int settings = 4;
  private static final int ping = 6;
  private static final int goaway = 7;
  private static final int window_update = 8;
  private static final int continuation = 9;
  private static final int end_stream = 1;
  private static final int end_headers = 4;
  private static final int frame_bytes_max = 16_384;
  private static final int body_bytes_max = 64_000;
  private static final int window_bytes = 65_535;

  private final Pipe pipe;
  private final String authority;
  private final Hpack.Writer writer = new Hpack.Writer();
  private final Hpack.Reader reader = new Hpack.Reader();
  private int stream = -1;
  private boolean isOpen = true;
  private boolean wasTouched = false;
  /** What may still be sent, as a whole. One request's own window is the initial one. */
  private long sendable = window_bytes;
  private long initial = window_bytes;
  private int unacknowledged = 0;

  Http2(Pipe pipe, String authority) throws IOException {
    this.pipe = pipe;
    this.authority = authority;
    ByteArrayOutputStream start = new ByteArrayOutputStream();
    start.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
    // ENABLE_PUSH 0
    frame(start, settings, 0, 0, new byte[] {0, 2, 0, 0, 0, 0});
    pipe.write(start.toByteArray());
  }

  @Override public Answer ask(String method, String path, Map<String, String> given, byte[] body, int timeout_ms, boolean isAnew) throws IOException {
    wasTouched = false;
    pipe.within(System.nanoTime() + timeout_ms * 1_000_000L);
    while (pipe.hasMore()) next(null);
    if (!isOpen) throw new EOFException("the server goes away");
    stream += 2;
    Map<String, String> all = new LinkedHashMap<>();
    all.put(":method", method);
    all.put(":scheme", "https");
    all.put(":authority", authority);
    all.put(":path", path);
    all.putAll(given);
    ByteArrayOutputStream request = new ByteArrayOutputStream();
    frame(request, headers, end_headers | (body == null ? end_stream : 0), stream, writer.write(all));
    if (body != null) {
      if (body.length > Math.min(initial, window_bytes)) throw new IOException("a body past the window");
      while (body.length > sendable) next(null);
      for (int at = 0; at < body.length; at += frame_bytes_max) {
        byte[] part = java.util.Arrays.copyOfRange(body, at, Math.min(body.length, at + frame_bytes_max));
        frame(request, data, at + frame_bytes_max >= body.length ? end_stream : 0, stream, part);
      }
      sendable -= body.length;
    }
    pipe.write(request.toByteArray());
    Got got = new Got(System.nanoTime());
    while (!got.isOver) next(got);
    if (stream > 1 << 30) isOpen = false;
    if (got.status < 200) throw new IOException("no HTTP/2 answer");
    return new Answer(got.status, got.headers, got.body.toByteArray(), got.rtt_ms, isAnew);
  }

  /** What has come of an answer. */
  private static final class Got {
    final long asked;
    final Map<String, String> headers = new HashMap<>();
    final ByteArrayOutputStream body = new ByteArrayOutputStream();
    int status = 0;
    double rtt_ms;
    boolean isOver = false;

    Got(long asked) {
      this.asked = asked;
    }
  }

  /** Reads one frame and does what it asks for. */
  private void next(Got got) throws IOException {
    byte[] head = pipe.read(9);
    int length = (head[0] & 255) << 16 | (head[1] & 255) << 8 | (head[2] & 255);
    int type = head[3];
    int flags = head[4];
    int of = number(head, 5) & 0x7fffffff;
    if (length > frame_bytes_max) throw new IOException("a frame past its bound");
    byte[] body = pipe.read(length);
    boolean isMine = got != null && of == stream;
    if (type == settings && (flags & 1) == 0) adjust(body);
    else if (type == ping && (flags & 1) == 0) send(ping, 1, 0, body);
    else if (type == window_update && of == 0) sendable += number(body, 0) & 0x7fffffff;
    else if (type == goaway) isOpen = false;
    else if (type == rst_stream && isMine) throw new IOException("the server broke off");
    else if (type == data) take(body, flags, isMine ? got : null);
    else if (type == headers) heads(body, flags, isMine ? got : null);
    if (type == goaway && got != null && (number(body, 0) & 0x7fffffff) < stream) throw new EOFException("the server goes away");
  }

  private void take(byte[] body, int flags, Got got) throws IOException {
    unacknowledged += body.length;
    if (unacknowledged > window_bytes / 2) {
      send(window_update, 0, 0, new byte[] {0, 0, (byte) (unacknowledged >> 8), (byte) unacknowledged});
      unacknowledged = 0;
    }
    if (got == null) return;
    int padding = (flags & 8) != 0 ? body[0] & 255 : 0;
    int from = (flags & 8) != 0 ? 1 : 0;
    got.body.write(body, from, Math.max(0, body.length - from - padding));
    if ((flags & end_stream) != 0) got.isOver = true;
    else if (got.body.size() > body_bytes_max) {
      isOpen = false;
      got.isOver = true;
    }
  }

  private void heads(byte[] first, int flags, Got got) throws IOException {
    int from = ((flags & 8) != 0 ? 1 : 0) + ((flags & 32) != 0 ? 5 : 0);
    int padding = (flags & 8) != 0 ? first[0] & 255 : 0;
    ByteArrayOutputStream block = new ByteArrayOutputStream();
    block.write(first, from, Math.max(0, first.length - from - padding));
    for (int more = flags; (more & end_headers) == 0; ) {
      byte[] head = pipe.read(9);
      if (head[3] != continuation || block.size() > frame_bytes_max) throw new IOException("headers without an end");
      more = head[4];
      block.write(pipe.read((head[0] & 255) << 16 | (head[1] & 255) << 8 | (head[2] & 255)));
    }
    Map<String, String> read = reader.read(block.toByteArray());
    if (got == null) return;
    if (!wasTouched) got.rtt_ms = (System.nanoTime() - got.asked) / 1e6;
    wasTouched = true;
    got.headers.putAll(read);
    if (read.containsKey(":status")) got.status = Integer.parseInt(read.get(":status"));
    if ((flags & end_stream) != 0) got.isOver = true;
  }

  private void adjust(byte[] body) throws IOException {
    for (int at = 0; at + 6 <= body.length; at += 6) {
      int id = (body[at] & 255) << 8 | (body[at + 1] & 255);
      long value = number(body, at + 2) & 0xffffffffL;
      if (id == 1) writer.bound((int) Math.min(4_096, value));
      if (id == 4) initial = value;
    }
    send(settings, 1, 0, new byte[0]);
  }

  private void send(int type, int flags, int of, byte[] body) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    frame(out, type, flags, of, body);
    pipe.write(out.toByteArray());
  }

  private static void frame(ByteArrayOutputStream out, int type, int flags, int of, byte[] body) throws IOException {
    out.write(new byte[] {(byte) (body.length >> 16), (byte) (body.length >> 8), (byte) body.length, (byte) type, (byte) flags, (byte) (of >> 24), (byte) (of >> 16), (byte) (of >> 8), (byte) of});
    out.write(body);
  }

  private static int number(byte[] bytes, int at) throws IOException {
    if (at + 4 > bytes.length) throw new IOException("a frame cut short");
    return (bytes[at] & 255) << 24 | (bytes[at + 1] & 255) << 16 | (bytes[at + 2] & 255) << 8 | (bytes[at + 3] & 255);
  }

  @Override public boolean wasTouched() {
    return wasTouched;
  }

  @Override public boolean isOpen() {
    return isOpen;
  }
}
