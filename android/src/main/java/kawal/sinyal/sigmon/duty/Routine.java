package kawal.sinyal.sigmon.duty;

import java.io.IOException;
import java.net.SocketTimeoutException;
import java.net.URL;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLSocketFactory;
import kawal.sinyal.sigmon.Clock;
import org.json.JSONException;
import org.json.JSONObject;

/** What a report on duty rests on: a first contact, a few pings, and the other targets when told (sigmon/src/check/{check,probe,reach}.ts). */
final class Routine {
  /** What was found. */
  static final class Found {
    final List<Double> rttMs = new ArrayList<>();
    int timeouts = 0;
    String internet = "untested";
    String election = "untested";
    String platform = "untested";
    /** The newest time that the platform told, ms since 1970; 0 for none. */
    long serverTime = 0;
  }

  /** One request's end: `ok`, `portal`, `http_error`, `cut` (no answer in the time given) or `failed` (an error before it); of a target `answered`. */
  private static final class Ping {
    final String end;
    double rtt_ms;
    long serverTime;
    long offset_ms;

    Ping(String end) {
      this.end = end;
    }
  }

  private static final int deadline_ms = 20_000;
  private static final double contact_share = 0.6;
  private static final double late_factor = 4;
  private static final int late_ms_least = 1_500;
  private static final int others_ms = 1_500;
  private static final int hedge_ms = 3_000;
  private static final int at_once_ms = 1_000;
  private static final int answer_bytes_max = 1_000;
  private static final int timeouts_max = 20;
  private static final long clock_wrong_ms = 5 * 60_000L;
  /** Before this the app was not written: a phone that says so has a wrong clock. 2026-11-01. */
  private static final long written_at = 1_793_491_200_000L;
  private static final Map<String, String> plain = Collections.emptyMap();

  private final String origin;
  private final Line line;
  private final SSLSocketFactory factory;
  private final Meter meter;
  private final Clock clock;

  Routine(String origin, Line line, SSLSocketFactory factory, Meter meter, Clock clock) {
    this.origin = origin;
    this.line = line;
    this.factory = factory;
    this.meter = meter;
    this.clock = clock;
  }

  /**
   * @param isOnline what Android says; an answer beats it
   * @param lastServerTime the newest time that the platform ever told, ms since 1970
   */
  Found measure(SignedConfig config, boolean hasReach, boolean isOnline, long lastServerTime) {
    long until = System.nanoTime() + deadline_ms * 1_000_000L;
    int first_ms = (int) (deadline_ms * contact_share);
    ExecutorService beside = Executors.newFixedThreadPool(2);
    Future<String> internet = beside.submit(touching(hasReach ? config.internet : null, first_ms));
    Future<String> election = beside.submit(touching(hasReach ? config.election : null, first_ms));
    beside.shutdown();
    Found found = new Found();
    List<Ping> answered = new ArrayList<>();
    Ping first = contact(first_ms, found);
    if (first.end.equals("ok")) {
      // Handshakes with the others would lengthen the pings on a narrow line.
      await(beside, others_ms);
      answered.add(first);
      int timeout_ms = (int) Math.min(config.timeout_ms, Math.max(late_ms_least, first.rtt_ms * late_factor));
      pings(config.routine, timeout_ms, until, found, answered);
    }
    await(beside, first_ms);
    conclude(found, first, end(internet), end(election), answered, isOnline, lastServerTime);
    return found;
  }

  private static void await(ExecutorService service, int ms) {
    try {
      service.awaitTermination(ms, TimeUnit.MILLISECONDS);
    } catch (InterruptedException end) {
      Thread.currentThread().interrupt();
    }
  }

  private static String end(Future<String> touched) {
    try {
      return touched.isDone() ? touched.get() : "silent";
    } catch (Exception failed) {
      return "failed";
    }
  }

  /**
   * The first answer is not counted as a round trip: it wakes the radio and makes the connection. A kept connection may be one
   * that a translator on the way has forgotten: it gets 3 s, and then another is made. An error that comes at once is tried once more.
   */
  private Ping contact(int ms, Found found) {
    long began = System.nanoTime();
    boolean wasKept = line.isKept();
    Ping one = ping(wasKept ? hedge_ms : ms);
    int losses = 1;
    boolean isAtOnce = one.end.equals("failed") && (System.nanoTime() - began) / 1_000_000 < at_once_ms;
    if ((wasKept && one.end.equals("cut")) || isAtOnce) {
      int left = (int) (ms - (System.nanoTime() - began) / 1_000_000);
      one = left <= 0 ? one : ping(left);
      losses = 2;
    }
    // One beside an answer may have met a connection that was long dead, and is no loss.
    if (one.end.equals("cut") || one.end.equals("failed")) found.timeouts += losses;
    return one;
  }

  private void pings(int count, int timeout_ms, long until, Found found, List<Ping> answered) {
    for (int made = 0; made < count; made++) {
      long left = (until - System.nanoTime()) / 1_000_000;
      if (left <= 0) return;
      Ping one = ping((int) Math.min(left, timeout_ms));
      if (one.end.equals("ok")) {
        answered.add(one);
        found.rttMs.add(one.rtt_ms);
      } else if (!one.end.equals("cut") || left >= timeout_ms) {
        found.timeouts++;
        // Somebody else answers now: the rest would not be round trips to us.
        if (one.end.equals("portal") || one.end.equals("http_error")) return;
      } else return;
    }
  }

  private Ping ping(int ms) {
    Answer answer;
    try {
      answer = line.ask("GET", "/v1/ping", plain, null, ms);
    } catch (SocketTimeoutException cut) {
      return new Ping("cut");
    } catch (IOException failed) {
      return new Ping("failed");
    }
    String stranger = strangerIn(answer);
    if (stranger != null) {
      line.close();
      return new Ping(stranger);
    }
    try {
      String now = new JSONObject(answer.text()).getString("now");
      Ping ping = new Ping("ok");
      ping.rtt_ms = Math.min(60_000, Math.max(0.1, Math.round(answer.rtt_ms * 10) / 10d));
      ping.serverTime = Instants.parse(now);
      ping.offset_ms = Math.round(ping.serverTime - (clock.now() - ping.rtt_ms / 2));
      return ping;
    } catch (JSONException | IllegalArgumentException other) {
      return new Ping("portal");
    }
  }

  /** Our ping answers 200 with a little JSON. Whatever else answers is not ours, or says itself that it is ill. 511 is a portal that says so (RFC 6585, 6). */
  private static String strangerIn(Answer answer) {
    boolean isElsewhere = answer.status >= 300 && answer.status < 400;
    if (isElsewhere || answer.status == 511) return "portal";
    if (answer.status >= 500) return "http_error";
    if (!answer.header("content-type").contains("json") || answer.body.length > answer_bytes_max) return "portal";
    return answer.status == 200 ? null : "http_error";
  }

  private Callable<String> touching(final String url, final int ms) {
    return new Callable<String>() {
      @Override public String call() {
        return url == null ? "untested" : touch(url, ms);
      }
    };
  }

  /** Asks another origin for a head alone. 501 says that it knows no HEAD, so it is there. */
  private String touch(String url, int ms) {
    try (Line other = new Line(url, factory, meter)) {
      String path = new URL(url).getFile();
      int status = other.ask("HEAD", path.isEmpty() ? "/" : path, plain, null, ms).status;
      if (status == 511) return "portal";
      if (status >= 300 && status < 400) return "elsewhere";
      return status >= 500 && status != 501 ? "http_error" : "answered";
    } catch (SocketTimeoutException silent) {
      return "silent";
    } catch (IOException failed) {
      return "failed";
    }
  }

  /** Only what can be proved: that nothing is connected, that the clock is wrong, that a portal stands before everything. */
  private void conclude(Found found, Ping first, String internet, String election, List<Ping> answered, boolean isOnline, long lastServerTime) {
    Ping closest = null;
    for (Ping each : answered) {
      if (closest == null || each.rtt_ms < closest.rtt_ms) closest = each;
      found.serverTime = Math.max(found.serverTime, each.serverTime);
    }
    boolean isClockWrong = closest != null ? Math.abs(closest.offset_ms) > clock_wrong_ms : clock.now() < Math.max(written_at, lastServerTime) - clock_wrong_ms;
    boolean isUnanswered = first.end.equals("cut") || first.end.equals("failed");
    boolean isOffline = !isOnline && isUnanswered && !isTouched(internet) && !isTouched(election);
    String failed = isOffline ? "offline" : isClockWrong ? "wrong_clock" : "timeout";
    String cut = isOffline ? "offline" : "timeout";
    found.platform = first.end.equals("failed") ? (origin.startsWith("https:") || isOffline ? failed : "timeout") : first.end.equals("cut") ? cut : first.end;
    boolean isBehindPortal = first.end.equals("portal");
    found.internet = word(internet, failed, cut, isBehindPortal);
    found.election = word(election, failed, cut, isBehindPortal);
    found.timeouts = Math.min(timeouts_max, found.timeouts);
  }

  private static boolean isTouched(String end) {
    return end.equals("answered") || end.equals("elsewhere") || end.equals("http_error") || end.equals("portal");
  }

  private static String word(String end, String failed, String cut, boolean isBehindPortal) {
    if (end.equals("answered")) return "ok";
    if (end.equals("elsewhere")) return isBehindPortal ? "portal" : "ok";
    return end.equals("failed") ? failed : end.equals("silent") ? cut : end;
  }
}
