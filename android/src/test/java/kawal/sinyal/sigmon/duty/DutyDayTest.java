package kawal.sinyal.sigmon.duty;

import static org.junit.Assert.assertTrue;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.security.cert.X509Certificate;
import java.util.concurrent.atomic.AtomicLong;
import javax.net.ssl.HostnameVerifier;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSession;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import org.json.JSONObject;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.annotation.Config;

/** Twelve hours of duty over TLS through a proxy that counts: what they cost, and how often they wake the phone. */
@RunWith(RobolectricTestRunner.class)
@Config(manifest = Config.NONE)
public class DutyDayTest {
  private static final long hours = 12;
  /** A platform of HTTP/2 and HTTP/1.1 with the headers that ours sends, and a receipt of nothing but numbers. */
  private static final String server = "import { createSecureServer } from 'node:http2'\n"
      + "import { makeCertificate } from './testkit/certificate.ts'\n"
      + "const server = createSecureServer({ ...makeCertificate(), allowHTTP1: true }, (request, response) => {\n"
      + "  request.resume()\n"
      + "  request.on('end', () => {\n"
      + "    if (request.url === '/v1/reports') {\n"
      + "      response.writeHead(202, { 'content-type': 'application/cbor', 'x-content-type-options': 'nosniff', 'content-length': 7 })\n"
      + "      return response.end(Buffer.from([0x84, 1, 0, 0x80, 0x19, 1, 0x2c]))\n"
      + "    }\n"
      + "    const body = JSON.stringify({ now: new Date().toISOString(), election: null })\n"
      + "    response.writeHead(200, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store', 'content-length': body.length })\n"
      + "    response.end(body)\n"
      + "  })\n"
      + "})\n"
      + "server.keepAliveTimeout = 900_000\n"
      + "server.listen(0, '127.0.0.1', () => console.log(server.address().port))\n"
      + "process.stdin.on('end', () => server.close()).resume()\n";

  private final AtomicLong bytes = new AtomicLong();
  private final AtomicLong connections = new AtomicLong();

  @Config(sdk = 33) @Test public void twelveHoursOfHttp2StayWithinTheirBudget() throws Exception {
    JSONObject figures = day();
    System.out.println(figures);
    assertTrue(figures.toString(), figures.getLong("duty_12h_bytes") <= 204_800);
    assertTrue(figures.toString(), figures.getLong("counted_bytes") >= figures.getLong("duty_12h_bytes"));
    assertTrue(figures.toString(), figures.getDouble("wakes_per_hour") <= 13);
    assertTrue(figures.toString(), figures.getInt("reports") >= 130);
  }

  private JSONObject day() throws Exception {
    File root = new File("..").getCanonicalFile();
    Process process = new ProcessBuilder("node_modules/.bin/node", "--input-type=module", "-e", server).directory(root).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    HostnameVerifier before = HttpsURLConnection.getDefaultHostnameVerifier();
    try (World world = new World(1); ServerSocket proxy = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
      int port = Integer.parseInt(new BufferedReader(new InputStreamReader(process.getInputStream())).readLine());
      count(proxy, port);
      HttpsURLConnection.setDefaultHostnameVerifier(new HostnameVerifier() {
        @Override public boolean verify(String host, SSLSession session) {
          return host.equals("127.0.0.1");
        }
      });
      world.origin = "https://127.0.0.1:" + proxy.getLocalPort();
      world.factory = trusting().getSocketFactory();
      world.open();
      world.start();
      world.live(hours * 3_600_000);
      JSONObject counts = world.duty.state().getJSONObject("counts");
      long counted = world.store.spent("2029-02-14") + world.store.spent("2029-02-13") + world.store.spent("2029-02-15");
      assertTrue(counts.toString(), counts.getInt("waiting") == 0);
      return new JSONObject().put("duty_12h_bytes", bytes.get()).put("counted_bytes", counted).put("reports", counts.getInt("sent")).put("wakes_per_hour", Math.round(world.wakes * 10d / hours) / 10d).put("connections", connections.get());
    } finally {
      HttpsURLConnection.setDefaultHostnameVerifier(before);
      process.destroy();
    }
  }

  private static SSLContext trusting() throws Exception {
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, new TrustManager[] {new X509TrustManager() {
      @Override public void checkClientTrusted(X509Certificate[] chain, String type) {}

      @Override public void checkServerTrusted(X509Certificate[] chain, String type) {}

      @Override public X509Certificate[] getAcceptedIssuers() {
        return new X509Certificate[0];
      }
    }}, null);
    return context;
  }

  private void count(final ServerSocket proxy, final int port) {
    daemon(new Runnable() {
      @Override public void run() {
        try {
          for (;;) {
            Socket phone = proxy.accept();
            Socket platform = new Socket(InetAddress.getLoopbackAddress(), port);
            connections.incrementAndGet();
            carry(phone, platform);
            carry(platform, phone);
          }
        } catch (IOException end) {
          // The test is over.
        }
      }
    });
  }

  private void carry(final Socket from, final Socket to) {
    daemon(new Runnable() {
      @Override public void run() {
        byte[] buffer = new byte[16_384];
        try (InputStream in = from.getInputStream(); OutputStream out = to.getOutputStream()) {
          for (int got = in.read(buffer); got > 0; got = in.read(buffer)) {
            bytes.addAndGet(got);
            out.write(buffer, 0, got);
          }
        } catch (IOException end) {
          // One side hung up.
        }
      }
    });
  }

  private static void daemon(Runnable run) {
    Thread thread = new Thread(run);
    thread.setDaemon(true);
    thread.start();
  }
}
