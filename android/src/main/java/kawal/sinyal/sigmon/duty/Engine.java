package kawal.sinyal.sigmon.duty;

import android.database.SQLException;
import android.database.sqlite.SQLiteConstraintException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import javax.net.ssl.SSLSocketFactory;
import kawal.sinyal.sigmon.Clock;
import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;

/**
 * The duty itself, without Android's services around it: what it does at each turn, and when the next one is. Its rules are in
 * spec/shell.md. `turn` runs on one thread alone; everything else may be called meanwhile and never waits for the network.
 */
final class Engine {
  private static final long duty_ms_max = 18 * 3_600_000L;
  /** A promise sooner than this could hardly be kept. */
  private static final long ahead_ms_min = 30_000;
  /** Android wakes a sleeping phone once in 9 minutes at worst; what is later than this was no sleep. */
  private static final long late_ms_max = 15 * 60_000L;
  /** The platform waits this long before it calls a promise broken. */
  private static final long late_ms_least = 30_000;
  private static final long backoff_base_ms = 120_000;
  private static final long backoff_cap_ms = 600_000;
  private static final long config_ms = 24 * 3_600_000L;
  private static final long again_ms = 3_600_000L;
  private static final int unwritten_max = 50;
  private static final int config_bytes = 20_000;

  private final Store store;
  private final Clock clock;
  private final Random random;
  private final Phone phone;
  private final Radio radio;
  private final Meter meter = new Meter();
  private final Line line;
  private final Routine routine;
  private final Sender sender;
  private Standing standing;
  /** Samples for which the disk has no room: they get their number when they are written. */
  private final List<JSONObject> unwritten = new ArrayList<>();
  private long owed_bytes = 0;

  Engine(String origin, SSLSocketFactory factory, Store store, Clock clock, Random random, Phone phone, Radio radio) {
    this.store = store;
    this.clock = clock;
    this.random = random;
    this.phone = phone;
    this.radio = radio;
    try {
      line = new Line(origin, factory, meter);
    } catch (IOException none) {
      throw new IllegalArgumentException("The platform's address is none: " + origin, none);
    }
    routine = new Routine(origin, line, factory, meter, clock);
    sender = new Sender(store, line);
    standing = Standing.of(store.standing());
  }

  /** On duty already, the order takes the place of the one before. */
  synchronized void start(Order order) {
    boolean isSame = standing.isOn && standing.order.station.equals(order.station);
    if (standing.isOn && !isSame) finish();
    Standing next = standing.copy();
    boolean isSameBlock = next.order != null && next.order.to == order.to && next.order.token.equals(order.token);
    next.next = Math.max(Math.max(order.from, store.lastSequence(order.token) + 1), isSameBlock ? standing.next : 0);
    next.order = order;
    next.orderDay = Instants.day(clock.now(), order.zone);
    if (next.config == null || !order.config.isOlderThan(next.config)) {
      next.config = order.config;
      next.keys = order.json.optJSONArray("keys");
      next.configAt = clock.now();
      next.etag = "";
    }
    next.intervalS = order.json.isNull("intervalS") ? 0 : order.json.optLong("intervalS");
    next.held = null;
    if (!isSame) {
      next.isOn = true;
      next.since = clock.now();
      next.end = Due.in(duty_ms_max, clock, phone.boots());
      next.count = 0;
      next.hasPromised = false;
      next.late_ms = 0;
      next.gap = null;
      next.made = store.count("waiting");
      next.sent = 0;
      next.refused = 0;
      next.due = null;
    }
    if (next.due == null) {
      next.due = Due.in(Schedule.firstDue(0, next.interval_ms(), random), clock, phone.boots());
      next.nextDueAt = next.due.at;
    }
    store.trust(order.station, order.token);
    store.write(next.json());
    standing = next;
  }

  synchronized void stop() {
    if (standing.isOn) finish();
  }

  /** Ends with a goodbye, if a promise is open. */
  private void finish() {
    Standing next = standing.copy();
    next.isOn = false;
    next.due = null;
    next.nextDueAt = 0;
    next.held = null;
    goodbye(next);
  }

  private void goodbye(Standing next) {
    boolean isOwed = next.hasPromised && next.next <= next.order.to;
    next.hasPromised = false;
    try {
      next.isLeaving |= isOwed;
      if (isOwed) keep(next, Samples.goodbye(next.order, clock.now(), phone.access()), true);
      else put(next);
    } catch (JSONException none) {
      throw new IllegalStateException(none);
    }
  }

  synchronized boolean isOn() {
    return standing.isOn;
  }

  synchronized boolean isFull() {
    return !unwritten.isEmpty();
  }

  synchronized Standing standing() {
    return standing.copy();
  }

  /** @return ms to the next turn; -1: none */
  synchronized long wake_ms() {
    int boots = phone.boots();
    long wake = standing.isOn ? standing.end.left(clock, boots) : Long.MAX_VALUE;
    if (standing.isOn && standing.due != null) wake = Math.min(wake, standing.due.left(clock, boots));
    // What waits without a retry goes with the next report; a goodbye has none after it, and what the budget held back at the end waits for the next day.
    boolean isLeft = standing.retry != null || standing.isLeaving || standing.due == null;
    if (isLeft && !store.stations().isEmpty()) {
      long retry = standing.retry != null ? standing.retry.left(clock, boots) : standing.isLeaving ? 0 : again_ms;
      if (standing.quiet != null) retry = Math.max(retry, standing.quiet.left(clock, boots));
      // Where a report comes soon after, it takes along what waits: one wake-up for both.
      if (wake > retry + backoff_cap_ms) wake = retry;
    }
    if (!unwritten.isEmpty()) wake = Math.min(wake, backoff_cap_ms);
    return wake == Long.MAX_VALUE ? -1 : wake;
  }

  /**
   * Does what is due: reports, sends, asks for the configuration.
   *
   * @param isAsked the officer wants what waits to be sent now, also past the budget
   */
  void turn(boolean isAsked) {
    boolean isDue;
    synchronized (this) {
      settle();
      if (standing.isOn && standing.end.left(clock, phone.boots()) == 0) finish();
      isDue = standing.isOn && standing.due != null && standing.due.left(clock, phone.boots()) == 0;
    }
    boolean isReached = isDue && report();
    send(isAsked, isReached);
    if (isReached) configure();
  }

  /** @return whether the platform answered */
  private boolean report() {
    Standing before;
    String hold;
    boolean hasReach;
    synchronized (this) {
      before = standing;
      late();
      hasReach = standing.count % standing.config.reachEvery == 0;
      hold = hold(hasReach);
      if (hold != null) hold(hold);
      if (hold != null && !hold.equals("budget")) return false;
    }
    String access = phone.access();
    JSONObject reading = radio.read();
    Routine.Found found = hold != null ? null : routine.measure(before.config, hasReach, !access.equals("none"), before.serverTime);
    spend();
    synchronized (this) {
      // Ended meanwhile: its goodbye is said, and nothing comes after it.
      if (!standing.isOn || standing.since != before.since) return false;
      try {
        keepReport(reading, found, hold, access);
      } catch (JSONException none) {
        throw new IllegalStateException(none);
      }
    }
    return found != null && found.platform.equals("ok");
  }

  private void keepReport(JSONObject reading, Routine.Found found, String hold, String access) throws JSONException {
    Standing next = standing.copy();
    long now = clock.now();
    next.count++;
    next.held = hold;
    next.serverTime = Math.max(next.serverTime, found == null ? 0 : found.serverTime);
    next.due = Due.in(Math.max(ahead_ms_min, Schedule.nextDue(0, next.interval_ms() * phone.pace(), next.config.jitterShare, random)), clock, phone.boots());
    next.nextDueAt = hold == null ? next.due.at + next.late_ms : 0;
    // What waits for tomorrow, and what was last of its block, promises nothing.
    boolean isPromise = hold == null && next.next < next.order.to;
    String way = found == null ? access : found.platform.equals("offline") ? "none" : access.equals("none") || access.equals("unknown") ? (next.order.accessPoint == null ? "unknown" : "wifi") : access;
    JSONObject sample = Samples.report(next.order, now, radio.sample(reading, now), found, way, phone.isCharging(), isPromise ? next.nextDueAt : 0);
    // Without location some phones still tell the levels.
    next.gap = reading.isNull("gap") || !sample.isNull("radio") ? null : reading.optString("gap");
    if (hold == null) next.hasPromised = isPromise;
    String quality = Judge.quality(sample);
    boolean isTurn = !quality.equals("unknown") && !quality.equals(next.quality);
    if (!quality.equals("unknown")) next.quality = quality;
    keep(next, sample, isTurn);
  }

  /** Android may wake us late: the promise after that allows for as much, and for half as much each time that it does not. */
  private void late() {
    long late = standing.due == null ? 0 : Math.max(0, clock.now() - standing.due.at);
    long lately = late < late_ms_least || late > 4 * late_ms_max ? 0 : Math.min(late_ms_max, late);
    standing.late_ms = Math.max(lately, standing.late_ms / 2 < late_ms_least ? 0 : standing.late_ms / 2);
  }

  private String hold(boolean hasReach) {
    if (phone.isLow("battery".equals(standing.held))) return "battery";
    if (standing.next >= standing.order.to) return "block";
    return left_bytes() < Budget.cost_bytes(standing.config, hasReach) ? "budget" : null;
  }

  /** Says goodbye if a promise is open, and comes back: for the battery and the next day to look again, for new numbers never. */
  private void hold(String why) {
    boolean isNew = !why.equals(standing.held);
    Standing next = standing.copy();
    next.held = why;
    next.due = why.equals("block") ? null : Due.in(4 * next.interval_ms(), clock, phone.boots());
    next.nextDueAt = 0;
    if (why.equals("budget")) next.due = standing.due;
    if (isNew && next.hasPromised) goodbye(next);
    else put(next);
  }

  /** It charges: held for the battery it goes on within one interval, since power comes back to a whole village at once. */
  synchronized void charging() {
    if (!standing.isOn || !"battery".equals(standing.held)) return;
    Standing next = standing.copy();
    next.due = Due.in(Schedule.firstDue(0, next.interval_ms(), random), clock, phone.boots());
    put(next);
  }

  private long left_bytes() {
    return Budget.left_bytes(standing, store, clock.now()) - owed_bytes;
  }

  /** Writes a sample with its number, and where the duty then stands; where the disk is full it waits in memory, and nothing of it is sent. */
  private void keep(Standing next, JSONObject sample, boolean isKept) throws JSONException {
    for (int attempt = 0; attempt < 2; attempt++) {
      Standing written = next.copy();
      sample.put("sequence", next.next);
      written.next++;
      written.made++;
      try {
        store.keep(next.order.station, next.order.token, sample, isKept, written.json());
        standing = written;
        return;
      } catch (SQLiteConstraintException used) {
        next.next = store.lastSequence(next.order.token) + 1;
      } catch (SQLException full) {
        try {
          if (attempt == 0) store.makeRoom();
        } catch (SQLException still) {
          // Not even taking away goes: it is kept in memory.
        }
      }
    }
    standing = next;
    sample.remove("sequence");
    unwritten.add(sample);
    if (unwritten.size() > unwritten_max) unwritten.remove(0);
  }

  /** Writes what the disk had no room for. */
  private void settle() {
    List<JSONObject> waiting = new ArrayList<>(unwritten);
    unwritten.clear();
    try {
      for (JSONObject sample : waiting) {
        if (!unwritten.isEmpty() || standing.next > standing.order.to) unwritten.add(sample);
        else keep(standing.copy(), sample, false);
      }
    } catch (JSONException none) {
      throw new IllegalStateException(none);
    }
  }

  private void put(Standing next) {
    standing = next;
    try {
      store.write(next.json());
    } catch (SQLException full) {
      // It holds in memory; after a restart an older one does, whose promise is the one that was sent.
    }
  }

  private void spend() {
    owed_bytes += meter.take();
    synchronized (this) {
      if (standing.order == null || owed_bytes == 0) return;
      try {
        store.spend(Instants.day(clock.now(), standing.order.zone), owed_bytes);
        owed_bytes = 0;
      } catch (SQLException full) {
        // Counted in memory meanwhile.
      }
    }
  }

  /** @param isReached a report has just found the platform answering: the silence is over */
  private void send(final boolean isAsked, boolean isReached) {
    synchronized (this) {
      int boots = phone.boots();
      if (standing.order == null) return;
      if (standing.quiet != null && standing.quiet.left(clock, boots) > 0) return;
      boolean isWaiting = standing.retry != null && standing.retry.left(clock, boots) > 0;
      if (isWaiting && !isAsked && !(isReached && standing.status == 0)) return;
    }
    Sender.Outcome outcome = sent(isAsked);
    spend();
    synchronized (this) {
      Standing next = standing.copy();
      next.attempt = outcome.isDone ? 0 : next.attempt + 1;
      next.status = outcome.status;
      next.quiet = outcome.wait_ms == 0 ? null : Due.in(outcome.wait_ms, clock, phone.boots());
      next.retry = outcome.isDone ? null : Due.in(Math.max(outcome.wait_ms, 250 + Schedule.backoff(next.attempt, backoff_base_ms, backoff_cap_ms, random)), clock, phone.boots());
      if (!next.json().toString().equals(standing.json().toString())) put(next);
    }
  }

  private Sender.Outcome sent(boolean isAsked) {
    try {
      return sender.all(watcher(isAsked));
    } catch (SQLException full) {
      // The platform has them, but that cannot be written: they go again, and it knows them.
      return new Sender.Outcome(false, 0, 0);
    }
  }

  private Sender.Watcher watcher(final boolean isAsked) {
    return new Sender.Watcher() {
      @Override public void received(List<Store.Row> rows, Receipt receipt, long serverTime) {
        synchronized (Engine.this) {
          Standing next = standing.copy();
          next.isLeaving = false;
          next.sent += rows.size() - receipt.quarantined.size();
          next.refused += receipt.quarantined.size();
          next.serverTime = Math.max(next.serverTime, serverTime);
          if (receipt.nextIntervalS >= 1 && receipt.nextIntervalS <= 86_400) {
            if (next.interval_ms() != receipt.nextIntervalS * 1000) next.configAt = 0;
            next.intervalS = receipt.nextIntervalS;
          }
          try {
            store.mark(rows, receipt, serverTime == 0 ? clock.now() : serverTime, next.json());
          } catch (SQLException full) {
            store.forget();
            store.mark(rows, receipt, serverTime == 0 ? clock.now() : serverTime, next.json());
          }
          standing = next;
        }
      }

      @Override public void refused(String station, String token) {
        synchronized (Engine.this) {
          store.refuse(station, token);
          if (!standing.isOn || !token.equals(standing.order.token)) return;
          Standing next = standing.copy();
          next.held = "token";
          next.isLeaving = false;
          next.due = null;
          next.nextDueAt = 0;
          next.hasPromised = false;
          put(next);
        }
      }

      @Override public void refused(Store.Row row, String reason) {
        synchronized (Engine.this) {
          store.refuse(row, reason);
          Standing next = standing.copy();
          next.refused++;
          put(next);
        }
      }

      @Override public boolean mayCost(int bytes) {
        spend();
        synchronized (Engine.this) {
          return isAsked || standing.isLeaving || (!"budget".equals(standing.held) && left_bytes() >= bytes);
        }
      }

      @Override public long now() {
        return clock.now();
      }
    };
  }

  /** The signed configuration, once a day, and when a receipt has changed the interval. */
  private void configure() {
    JSONArray keys;
    String etag;
    synchronized (this) {
      if (Math.abs(clock.now() - standing.configAt) < config_ms || left_bytes() < config_bytes) return;
      keys = standing.keys;
      etag = standing.etag;
    }
    Answer answer = null;
    try {
      answer = line.ask("GET", "/v1/sigmon/config", etag.isEmpty() ? Collections.<String, String>emptyMap() : Collections.singletonMap("if-none-match", etag), null, 30_000);
    } catch (IOException none) {
      // Asked again in an hour.
    }
    spend();
    SignedConfig config = answer != null && answer.status == 200 ? Trust.opened(answer.text(), keys) : null;
    synchronized (this) {
      Standing next = standing.copy();
      boolean isAnswered = answer != null && answer.status < 400;
      next.configAt = isAnswered ? clock.now() : clock.now() - config_ms + again_ms;
      if (config != null && !config.isOlderThan(next.config)) {
        next.config = config;
        next.etag = answer.header("etag");
        JSONArray trusted = Trust.sound(config.keys);
        if (trusted.length() > 0) next.keys = trusted;
      }
      put(next);
    }
  }

  /** A `DutyState` (spec/shell.md). */
  synchronized JSONObject state() {
    return States.of(standing, store, unwritten.size(), clock.now());
  }
}
