package kawal.sinyal.sigmon.duty;

import android.os.Build;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;

/**
 * Which protocol a connection speaks (RFC 7301). Before Android 10 there is no public way to ask, only methods of the phone's TLS
 * library that HTTP clients have called by name since Android 5; where they are not there it is HTTP/1.1.
 */
final class Alpn {
  /** Each with its length before it, as it goes over the wire. */
  private static final byte[] offered = "\u0002h2\u0008http/1.1".getBytes(StandardCharsets.US_ASCII);

  private Alpn() {}

  static void offer(SSLSocket socket) {
    if (Build.VERSION.SDK_INT >= 29 && Api29.offer(socket)) return;
    if (call(socket, "setAlpnProtocols", byte[].class, offered) == null) call(socket, "setApplicationProtocols", String[].class, new String[] {"h2", "http/1.1"});
  }

  /** @return `h2`, `http/1.1`, or an empty text where none was agreed */
  static String chosen(SSLSocket socket) {
    String chosen = Build.VERSION.SDK_INT >= 29 ? Api29.chosen(socket) : null;
    if (chosen != null && !chosen.isEmpty()) return chosen;
    Object found = call(socket, "getAlpnSelectedProtocol", null, null);
    if (found == null || found.equals(true)) found = call(socket, "getApplicationProtocol", null, null);
    return found instanceof byte[] ? new String((byte[]) found, StandardCharsets.US_ASCII) : found instanceof String ? (String) found : "";
  }

  /** @return what it answers, true for nothing; null where there is no such method, or it fails */
  private static Object call(SSLSocket socket, String name, Class<?> takes, Object given) {
    for (Class<?> type = socket.getClass(); type != null; type = type.getSuperclass())
      try {
        Method method = takes == null ? type.getDeclaredMethod(name) : type.getDeclaredMethod(name, takes);
        method.setAccessible(true);
        Object answer = takes == null ? method.invoke(socket) : method.invoke(socket, given);
        return answer == null ? true : answer;
      } catch (NoSuchMethodException next) {
        continue;
      } catch (Exception refused) {
        return null;
      }
    return null;
  }

  /** `SSLParameters.setApplicationProtocols` and its like are public from Android 10 on, but in no list of its interface that the tests have: called by name too. */
  private static final class Api29 {
    static boolean offer(SSLSocket socket) {
      SSLParameters parameters = socket.getSSLParameters();
      try {
        SSLParameters.class.getMethod("setApplicationProtocols", String[].class).invoke(parameters, new Object[] {new String[] {"h2", "http/1.1"}});
        socket.setSSLParameters(parameters);
        String[] held = (String[]) SSLParameters.class.getMethod("getApplicationProtocols").invoke(socket.getSSLParameters());
        return held != null && held.length > 0;
      } catch (ReflectiveOperationException none) {
        return false;
      }
    }

    static String chosen(SSLSocket socket) {
      try {
        return (String) SSLSocket.class.getMethod("getApplicationProtocol").invoke(socket);
      } catch (ReflectiveOperationException none) {
        return null;
      }
    }
  }
}
