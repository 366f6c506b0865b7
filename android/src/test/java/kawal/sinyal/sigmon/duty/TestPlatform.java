package kawal.sinyal.sigmon.duty;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import kawal.sinyal.sigmon.Clock;
import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;

/** A platform on this machine, by its contract alone: real HTTP, with the faults that a test asks for. */
final class TestPlatform implements AutoCloseable {
  final HttpServer server;
  final Clock clock;
  /** Rows by token and sequence. */
  final TreeMap<String, List<?>> kept = new TreeMap<>();
  /** Promises in the order of their coming, of live samples. */
  int doubles = 0;
  volatile int status = 202;
  volatile String retryAfter;
  volatile boolean losesReceipts = false;
  volatile boolean answersNonsense = false;
  volatile String quarantines;
  /** A batch with this number cannot be read; 0: none. */
  volatile long unreadable = 0;
  volatile boolean readsCbor = true;
  /** The path of a target that is ill. */
  volatile String sick;
  volatile String ping = "own";
  volatile long intervalS = 300;
  volatile String config;
  volatile int posts = 0;
  volatile int pings = 0;
  volatile int heads = 0;
  volatile int configs = 0;

  TestPlatform(Clock clock) throws IOException {
    this.clock = clock;
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 20);
    server.setExecutor(Executors.newCachedThreadPool());
    server.createContext("/", new HttpHandler() {
      @Override public void handle(HttpExchange exchange) throws IOException {
        answer(exchange);
      }
    });
    server.start();
  }

  String origin() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  private void answer(HttpExchange exchange) throws IOException {
    byte[] body = exchange.getRequestBody().readAllBytes();
    String path = exchange.getRequestURI().getPath();
    if (path.equals("/v1/ping")) {
      pings++;
      if (ping.equals("portal")) say(exchange, 200, "text/html", "<html>log in</html>".getBytes());
      else if (ping.equals("down")) say(exchange, 503, "text/plain", "down".getBytes());
      else say(exchange, 200, "application/json", ("{\"now\":\"" + Instants.text(clock.now()) + "\",\"election\":null}").getBytes());
    } else if (path.equals("/v1/reports")) report(exchange, body);
    else if (path.equals("/v1/sigmon/config") && config != null) {
      configs++;
      say(exchange, 200, "application/jose", config.getBytes());
    } else if (exchange.getRequestMethod().equals("HEAD")) {
      heads++;
      exchange.sendResponseHeaders(path.equals(sick) ? 503 : 200, -1);
      exchange.close();
    } else say(exchange, 404, "text/plain", new byte[0]);
  }

  private synchronized void report(HttpExchange exchange, byte[] body) throws IOException {
    posts++;
    if (status != 202) {
      if (retryAfter != null) exchange.getResponseHeaders().set("retry-after", retryAfter);
      say(exchange, status, "application/problem+json", "{\"code\":\"x\",\"detail\":\"told why\"}".getBytes());
      return;
    }
    if (answersNonsense) {
      say(exchange, 202, "text/html", "<html>log in</html>".getBytes());
      return;
    }
    String token = exchange.getRequestHeaders().getFirst("authorization");
    boolean isCbor = exchange.getRequestHeaders().getFirst("content-type").equals(Compact.type);
    if (isCbor && !readsCbor) {
      say(exchange, 415, "application/problem+json", new byte[0]);
      return;
    }
    List<Object> quarantined = new ArrayList<>();
    int accepted = 0;
    int duplicates = 0;
    List<?> rows = isCbor ? (List<?>) ((List<?>) Cbor.decode(body)).get(3) : ofJson(body);
    for (Object row : rows) {
      if (unreadable == 0 || !((List<?>) row).get(0).equals(unreadable)) continue;
      say(exchange, 413, "application/problem+json", "{\"code\":\"x\",\"detail\":\"told why\"}".getBytes());
      return;
    }
    for (int i = 0; i < rows.size(); i++) {
      List<?> row = (List<?>) rows.get(i);
      String name = String.format("%s %010d", token, (Long) row.get(0));
      if (String.valueOf(row.get(0)).equals(quarantines)) quarantined.add(Arrays.asList(i, "sample_invalid", "planted"));
      else if (kept.containsKey(name)) {
        duplicates++;
        if (!kept.get(name).equals(row)) doubles++;
      } else {
        kept.put(name, row);
        accepted++;
      }
    }
    if (losesReceipts) {
      exchange.close();
      return;
    }
    if (!isCbor) say(exchange, 202, "application/json", ("{\"accepted\":" + accepted + ",\"duplicates\":" + duplicates + ",\"quarantined\":[],\"nextIntervalS\":" + intervalS + "}").getBytes());
    else say(exchange, 202, "application/cbor", Cbor.encode(Arrays.asList(accepted, duplicates, quarantined, intervalS)));
  }

  /** Rows as the compact form has them. */
  private static List<?> ofJson(byte[] body) {
    try {
      JSONArray samples = new JSONObject(new String(body, StandardCharsets.UTF_8)).getJSONArray("samples");
      List<JSONObject> list = new ArrayList<>();
      for (int i = 0; i < samples.length(); i++) list.add(samples.getJSONObject(i));
      return (List<?>) ((List<?>) Cbor.decode(Compact.batch("7571011001003", null, list))).get(3);
    } catch (JSONException torn) {
      throw new IllegalStateException(torn);
    }
  }

  private static void say(HttpExchange exchange, int status, String type, byte[] body) throws IOException {
    exchange.getResponseHeaders().set("content-type", type);
    exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
    if (body.length > 0) exchange.getResponseBody().write(body);
    exchange.close();
  }

  @Override public void close() {
    server.stop(0);
  }
}
