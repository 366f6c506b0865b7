package kawal.sinyal.sigmon.duty;

import java.nio.charset.StandardCharsets;
import java.util.Map;

/** What a server said. */
final class Answer {
  final int status;
  /** By their names in lower case. */
  final Map<String, String> headers;
  final byte[] body;
  /** From the request's last byte handed over to the answer's first, ms. */
  final double rtt_ms;
  /** The connection was made for this request. */
  final boolean isAnew;

  Answer(int status, Map<String, String> headers, byte[] body, double rtt_ms, boolean isAnew) {
    this.status = status;
    this.headers = headers;
    this.body = body;
    this.rtt_ms = rtt_ms;
    this.isAnew = isAnew;
  }

  String header(String name) {
    String value = headers.get(name);
    return value == null ? "" : value;
  }

  String text() {
    return new String(body, StandardCharsets.UTF_8);
  }
}
