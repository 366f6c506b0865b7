package kawal.sinyal.sigmon.duty;

import java.io.IOException;
import java.util.Map;

/** One connection that requests go over, one after the other. */
interface Talk {
  /**
   * @param timeout_ms for the whole of it; a SocketTimeoutException when it is up
   * @throws IOException when the connection ended; `wasTouched` then says whether any of an answer had come
   */
  Answer ask(String method, String path, Map<String, String> headers, byte[] body, int timeout_ms, boolean isAnew) throws IOException;

  /** Whether any byte of the last answer came. */
  boolean wasTouched();

  /** Whether another request may go over it. */
  boolean isOpen();
}
