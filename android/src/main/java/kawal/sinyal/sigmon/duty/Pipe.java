package kawal.sinyal.sigmon.duty;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;

/** The bytes of a connection, both ways, counted, each read within what is left of the time. */
final class Pipe {
  private final Socket socket;
  private final InputStream in;
  private final OutputStream out;
  private final Meter meter;
  private final boolean isSecure;
  private final byte[] buffer = new byte[16_384];
  private int at = 0;
  private int end = 0;
  private long until_ns;

  Pipe(Socket socket, Meter meter, boolean isSecure) throws IOException {
    this.socket = socket;
    this.meter = meter;
    this.isSecure = isSecure;
    in = socket.getInputStream();
    out = socket.getOutputStream();
  }

  void within(long until_ns) {
    this.until_ns = until_ns;
  }

  void write(byte[] bytes) throws IOException {
    out.write(bytes);
    out.flush();
    meter.carry(bytes.length, isSecure);
  }

  /** @return whether something can be read without waiting */
  boolean hasMore() throws IOException {
    return at < end || in.available() > 0;
  }

  int read() throws IOException {
    if (at == end) {
      socket.setSoTimeout(Line.left(until_ns));
      at = 0;
      end = Math.max(0, in.read(buffer));
      if (end == 0) throw new EOFException("the connection was closed");
      meter.carry(end, isSecure);
    }
    return buffer[at++] & 255;
  }

  byte[] read(int length) throws IOException {
    byte[] bytes = new byte[length];
    for (int i = 0; i < length; i++) bytes[i] = (byte) read();
    return bytes;
  }
}
