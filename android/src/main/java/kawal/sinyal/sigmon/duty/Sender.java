package kawal.sinyal.sigmon.duty;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;

/** Carries what waits to the platform: sigmon/src/queue/deliver.ts. Nothing changes state before the receipt is here. */
final class Sender {
  /** How a pass ended. */
  static final class Outcome {
    static final Outcome done = new Outcome(true, 0, 0);
    final boolean isDone;
    /** Of HTTP; 0: no answer. */
    final int status;
    /** How long the platform wants to be left alone. */
    final long wait_ms;

    Outcome(boolean isDone, int status, long wait_ms) {
      this.isDone = isDone;
      this.status = status;
      this.wait_ms = wait_ms;
    }
  }

  /** What the pass tells as it goes, and asks. */
  interface Watcher {
    void received(List<Store.Row> rows, Receipt receipt, long serverTime);

    void refused(String station, String token);

    void refused(Store.Row row, String reason);

    /** Whether the budget has room for so many bytes more. */
    boolean mayCost(int bytes);

    long now();
  }

  private static final int batch_max = 50;
  private static final int rounds_max = 500;
  private static final int answer_ms_max = 30_000;
  private static final long wait_ms_max = 3_600_000;
  /** Head, token and receipt of a request over a new connection; then each sample. */
  private static final int request_bytes = 10_000;
  private static final int sample_bytes = 160;

  private final Store store;
  private final Line line;
  private boolean isCompact = true;
  private int size = batch_max;

  Sender(Store store, Line line) {
    this.store = store;
    this.line = line;
  }

  Outcome all(Watcher watcher) {
    for (int round = 0; round < rounds_max; round++) {
      String station = null;
      for (String each : store.stations()) station = each;
      if (station == null) return Outcome.done;
      List<Store.Row> rows = store.batch(station, size);
      if (rows.isEmpty() || !watcher.mayCost(request_bytes + rows.size() * sample_bytes)) return Outcome.done;
      Outcome outcome = one(watcher, station, store.token(station), rows);
      if (outcome != null) return outcome;
    }
    return Outcome.done;
  }

  /** @return null to go on */
  private Outcome one(Watcher watcher, String station, String token, List<Store.Row> rows) {
    Answer answer;
    boolean wasCompact = isCompact;
    try {
      answer = line.ask("POST", "/v1/reports", head(token), body(station, rows, watcher.now()), answer_ms_max);
    } catch (IOException none) {
      return new Outcome(false, 0, 0);
    }
    int status = answer.status;
    if (status == 202) {
      Receipt receipt = answer.header("content-type").startsWith(Compact.type) ? Compact.receipt(answer.body) : Receipt.of(answer.text());
      if (receipt == null) return new Outcome(false, 0, 0);
      watcher.received(rows, receipt, HttpDate.parse(answer.header("date")));
      size = batch_max;
      return null;
    }
    if (status == 401 || status == 403) {
      watcher.refused(station, token);
      return null;
    }
    if ((status == 415 || status == 400) && wasCompact) {
      isCompact = false;
      return null;
    }
    if (status == 413 || status == 400) {
      // One that the server cannot even read must not hold up the others: it is found by halves, and kept.
      if (rows.size() > 1) size = Math.max(1, rows.size() / 2);
      else watcher.refused(rows.get(0), detail(answer));
      return null;
    }
    return new Outcome(false, status, retryAfter_ms(answer.header("retry-after"), watcher.now()));
  }

  private Map<String, String> head(String token) {
    Map<String, String> headers = new LinkedHashMap<>();
    headers.put("content-type", isCompact ? Compact.type : "application/json");
    headers.put("authorization", "Bearer " + token);
    return headers;
  }

  private byte[] body(String station, List<Store.Row> rows, long now) {
    List<JSONObject> samples = new ArrayList<>();
    for (Store.Row row : rows) samples.add(row.sample);
    try {
      if (isCompact) return Compact.batch(station, now, samples);
      return new JSONObject().put("station", station).put("sentAt", Instants.text(now)).put("samples", new JSONArray(samples)).toString().getBytes(StandardCharsets.UTF_8);
    } catch (JSONException torn) {
      throw new IllegalStateException(torn);
    }
  }

  private static String detail(Answer answer) {
    try {
      return new JSONObject(answer.text()).getString("detail");
    } catch (JSONException none) {
      return "HTTP " + answer.status;
    }
  }

  /** Seconds, or a date against the phone's clock; bounded by an hour: a slip there must not silence a phone for a day. */
  private static long retryAfter_ms(String told, long now) {
    if (told.isEmpty()) return 0;
    long date = HttpDate.parse(told);
    long ms = told.matches("\\d{1,9}") ? Long.parseLong(told) * 1000 : date == 0 ? 0 : date - now;
    return Math.min(wait_ms_max, Math.max(0, ms));
  }
}
