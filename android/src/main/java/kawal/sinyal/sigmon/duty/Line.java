package kawal.sinyal.sigmon.duty;

import java.io.Closeable;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URL;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;

/**
 * The way to one server, over one connection that is kept. Not HttpURLConnection: that keeps connections for 5 minutes where the
 * platform keeps them for 15, speaks HTTP/1.1 alone, hides whether a connection was made anew and when an answer began, and
 * adds headers that nobody reads; a handshake at each report would be most of what a duty costs.
 */
final class Line implements Closeable {
  /** The platform keeps idle connections for 15 minutes. */
  private static final long kept_ms_max = 14 * 60_000L;
  private static final ExecutorService names = Executors.newCachedThreadPool(new ThreadFactory() {
    @Override public Thread newThread(Runnable run) {
      Thread thread = new Thread(run, "duty-names");
      thread.setDaemon(true);
      return thread;
    }
  });

  private final String host;
  private final int port;
  private final boolean isSecure;
  private final SSLSocketFactory factory;
  private final Meter meter;
  private Socket socket;
  private Talk talk;
  private long used_ns;

  /**
   * @param origin `https://HOST`, with a port or without; what stands behind is passed over
   * @param meter counts what it costs
   */
  Line(String origin, SSLSocketFactory factory, Meter meter) throws IOException {
    URL url = new URL(origin);
    host = url.getHost();
    isSecure = url.getProtocol().equals("https");
    port = url.getPort() == -1 ? url.getDefaultPort() : url.getPort();
    this.factory = factory;
    this.meter = meter;
  }

  /** Whether a connection stands that may still be good. */
  synchronized boolean isKept() {
    if (talk != null && (!talk.isOpen() || (System.nanoTime() - used_ns) / 1_000_000 > kept_ms_max)) close();
    return talk != null;
  }

  /**
   * One request and its answer. Where a kept connection turns out to be closed before anything of the answer came it is made anew,
   * and the request sent again: reports may be (spec/report.md), and everything else only asks.
   *
   * @throws SocketTimeoutException when the time is up; any other IOException for an error before that
   */
  synchronized Answer ask(String method, String path, Map<String, String> headers, byte[] body, int timeout_ms) throws IOException {
    long until = System.nanoTime() + timeout_ms * 1_000_000L;
    boolean wasKept = isKept();
    try {
      return once(method, path, headers, body, until, !wasKept);
    } catch (SocketTimeoutException late) {
      close();
      throw late;
    } catch (IOException cut) {
      boolean isDead = wasKept && !talk.wasTouched();
      close();
      if (!isDead) throw cut;
    }
    try {
      return once(method, path, headers, body, until, true);
    } catch (IOException failed) {
      close();
      throw failed;
    }
  }

  private Answer once(String method, String path, Map<String, String> headers, byte[] body, long until, boolean isAnew) throws IOException {
    if (isAnew) connect(until);
    Answer answer = talk.ask(method, path, headers, body, left(until), isAnew);
    used_ns = System.nanoTime();
    if (!talk.isOpen()) close();
    return answer;
  }

  private void connect(long until) throws IOException {
    InetAddress address = resolve(left(until));
    Socket plain = new Socket();
    socket = plain;
    plain.setTcpNoDelay(true);
    plain.connect(new InetSocketAddress(address, port), left(until));
    plain.setSoTimeout(left(until));
    boolean isHttp2 = false;
    if (isSecure) {
      meter.handshake();
      SSLSocket secure = (SSLSocket) factory.createSocket(plain, host, port, true);
      socket = secure;
      Alpn.offer(secure);
      secure.startHandshake();
      if (!HttpsURLConnection.getDefaultHostnameVerifier().verify(host, secure.getSession())) throw new SSLPeerUnverifiedException("The certificate is not of " + host + ".");
      isHttp2 = "h2".equals(Alpn.chosen(secure));
    }
    String authority = host + (port == (isSecure ? 443 : 80) ? "" : ":" + port);
    Pipe pipe = new Pipe(socket, meter, isSecure);
    talk = isHttp2 ? new Http2(pipe, authority) : new Http1(pipe, authority);
  }

  /** The phone's own resolver knows no time-out. */
  private InetAddress resolve(int timeout_ms) throws IOException {
    Future<InetAddress> found = names.submit(new Callable<InetAddress>() {
      @Override public InetAddress call() throws IOException {
        return InetAddress.getByName(host);
      }
    });
    try {
      return found.get(timeout_ms, TimeUnit.MILLISECONDS);
    } catch (TimeoutException late) {
      throw new SocketTimeoutException("no address of " + host + " in time");
    } catch (ExecutionException failed) {
      throw new IOException("no address of " + host, failed.getCause());
    } catch (InterruptedException end) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted");
    }
  }

  static int left(long until) throws SocketTimeoutException {
    long left = (until - System.nanoTime()) / 1_000_000;
    if (left <= 0) throw new SocketTimeoutException("the time is up");
    return (int) Math.min(Integer.MAX_VALUE, left);
  }

  @Override public synchronized void close() {
    try {
      if (socket != null) socket.close();
    } catch (IOException gone) {
      // It is gone already.
    }
    socket = null;
    talk = null;
  }
}
