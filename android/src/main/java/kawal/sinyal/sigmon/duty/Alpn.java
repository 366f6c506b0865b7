package kawal.sinyal.sigmon.duty;

import android.os.Build;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;

/** Which protocol a connection speaks (RFC 7301). Before Android 10 an app cannot ask for one, and it is HTTP/1.1. */
final class Alpn {
  private Alpn() {}

  static void offer(SSLSocket socket) {
    if (Build.VERSION.SDK_INT >= 29) Api29.offer(socket);
  }

  /** @return `h2`, `http/1.1`, or an empty text where none was agreed */
  static String chosen(SSLSocket socket) {
    return Build.VERSION.SDK_INT >= 29 ? Api29.chosen(socket) : "";
  }

  private static final class Api29 {
    static void offer(SSLSocket socket) {
      SSLParameters parameters = socket.getSSLParameters();
      parameters.setApplicationProtocols(new String[] {"h2", "http/1.1"});
      socket.setSSLParameters(parameters);
    }

    static String chosen(SSLSocket socket) {
      return socket.getApplicationProtocol();
    }
  }
}
