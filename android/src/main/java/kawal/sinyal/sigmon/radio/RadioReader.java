package kawal.sinyal.sigmon.radio;

import android.content.Context;
import android.content.pm.PackageManager;
import android.os.Build;
import android.os.Handler;
import android.os.HandlerThread;
import android.os.Looper;
import android.provider.Settings;
import android.telephony.TelephonyManager;
import java.text.SimpleDateFormat;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Locale;
import java.util.TimeZone;
import kawal.sinyal.sigmon.Clock;
import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;

/**
 * Reads the radio as spec/radio-bridge.md says. The modem is asked once for all who wait, and not oftener than every 2 s
 * in the whole process; in between, what it said grows older.
 */
public final class RadioReader {
  /** After this an answer is given without the phone's. The bridge allows 1.5 s. */
  static final long TELL_MS_MAX = 1_350;
  static final long REST_MS = 2_000;
  /** More who wait at once than any app of ours has: the oldest is told what is known. */
  private static final int WAITING_MAX = 32;

  private static final Object LOCK = new Object();
  private static final List<Reading> WAITING = new ArrayList<>();
  private static HandlerThread thread;
  private static boolean isAsking;
  private static Scan.Heard last;
  private static long askedAt;

  public interface Told {
    /** @param reading as contract/radio.ts says; on any thread */
    void read(JSONObject reading);
  }

  private final Context context;
  private final Clock clock;

  public RadioReader(Context context, Clock clock) {
    this.context = context.getApplicationContext() == null ? context : context.getApplicationContext();
    this.clock = clock;
  }

  /** Answers once, within 1.4 s, on any thread; never throws. A phone that gives no values is answered for with a gap. */
  public void read(Told told) {
    Reading reading = new Reading(told);
    new Handler(Looper.getMainLooper()).postDelayed(reading.late, TELL_MS_MAX);
    Reading first = null;
    synchronized (LOCK) {
      if (WAITING.size() >= WAITING_MAX) first = WAITING.remove(0);
      WAITING.add(reading);
      if (!isAsking) {
        isAsking = true;
        handler().post(new Runnable() {
          @Override public void run() {
            ask();
          }
        });
      }
    }
    if (first != null) first.tell(null);
  }

  /** For tests: what the process knows, as when it was new. */
  static void forget() {
    synchronized (LOCK) {
      if (thread != null) thread.quit();
      thread = null;
      WAITING.clear();
      isAsking = false;
      last = null;
    }
  }

  /** Makers' telephony may hang: it has a thread of its own. */
  static Handler handler() {
    synchronized (LOCK) {
      if (thread == null) {
        thread = new HandlerThread("radio");
        thread.start();
      }
      return new Handler(thread.getLooper());
    }
  }

  private void ask() {
    try {
      final long now = clock.elapsed();
      Scan.Heard before;
      synchronized (LOCK) {
        before = now >= askedAt && now - askedAt < REST_MS ? last : null;
      }
      if (before != null) {
        answer(before);
        return;
      }
      TelephonyManager whole = (TelephonyManager) context.getSystemService(Context.TELEPHONY_SERVICE);
      if (whole == null) {
        answer(null);
        return;
      }
      final boolean isAllowed = Surroundings.isPermitted(context) && Surroundings.isLocationOn(context);
      new Scan(context, whole, handler(), new Scan.Done() {
        @Override public void done(Scan.Heard heard) {
          synchronized (LOCK) {
            // a refusal is not remembered: the officer may have just allowed it
            last = isAllowed ? heard : null;
            askedAt = now;
          }
          answer(heard);
        }
      }).begin(isAllowed);
    } catch (RuntimeException broken) {
      answer(null);
    }
  }

  private static void answer(Scan.Heard heard) {
    List<Reading> all;
    synchronized (LOCK) {
      all = new ArrayList<>(WAITING);
      WAITING.clear();
      isAsking = false;
    }
    for (Reading each : all) each.tell(heard);
  }

  /** One who waits. */
  private final class Reading {
    private final Told told;
    private boolean isTold;
    final Runnable late = new Runnable() {
      @Override public void run() {
        synchronized (LOCK) {
          WAITING.remove(Reading.this);
        }
        tell(null);
      }
    };

    Reading(Told told) {
      this.told = told;
    }

    void tell(Scan.Heard heard) {
      synchronized (this) {
        if (isTold) return;
        isTold = true;
      }
      new Handler(Looper.getMainLooper()).removeCallbacks(late);
      told.read(made(heard));
    }
  }

  private JSONObject made(Scan.Heard heard) {
    try {
      boolean isAirplane = Settings.Global.getInt(context.getContentResolver(), Settings.Global.AIRPLANE_MODE_ON, 0) != 0;
      JSONArray slots = new JSONArray();
      long elapsed = clock.elapsed();
      if (heard != null) for (Slot slot : heard.slots) slots.put(slot.told(elapsed));
      return frame().put("airplane", isAirplane).put("mockLocation", Cell.orNull(Surroundings.isMock(context))).put("gap", Cell.orNull(gap(heard, isAirplane))).put("slots", slots);
    } catch (JSONException | RuntimeException broken) {
      return bare();
    }
  }

  private JSONObject frame() throws JSONException {
    SimpleDateFormat instant = new SimpleDateFormat("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'", Locale.ROOT);
    instant.setTimeZone(TimeZone.getTimeZone("UTC"));
    String platform = "android " + Build.VERSION.RELEASE;
    return new JSONObject().put("readAt", instant.format(new Date(clock.now()))).put("source", "android").put("platform", platform.length() > 64 ? platform.substring(0, 64) : platform);
  }

  /** Where even the phone's settings cannot be read. */
  private JSONObject bare() {
    try {
      return frame().put("airplane", JSONObject.NULL).put("mockLocation", JSONObject.NULL).put("gap", "no_answer").put("slots", new JSONArray());
    } catch (JSONException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  /** Why there are no values, or none but the bars'; the cause that the officer can mend comes first. */
  private String gap(Scan.Heard heard, boolean isAirplane) {
    boolean hasCells = false;
    boolean isRegistered = false;
    if (heard != null)
      for (Slot slot : heard.slots) {
        hasCells |= !slot.cells.isEmpty();
        isRegistered |= slot.plmn != null;
      }
    if (!hasModem(heard, hasCells)) return "no_modem";
    if (isAirplane && !hasCells) return "modem_off";
    if (!Surroundings.isPermitted(context)) return "permission";
    if (!Surroundings.isLocationOn(context)) return "location_off";
    if (heard != null && heard.slots.isEmpty()) return "no_sim";
    return hasCells || (heard != null && heard.isAnswered && !isRegistered) ? null : "no_answer";
  }

  /** A tablet that only carries data says that it is no phone: it has a modem when there is a SIM or a cell. */
  private boolean hasModem(Scan.Heard heard, boolean hasCells) {
    if (!context.getPackageManager().hasSystemFeature(PackageManager.FEATURE_TELEPHONY)) return false;
    TelephonyManager whole = (TelephonyManager) context.getSystemService(Context.TELEPHONY_SERVICE);
    if (whole == null) return false;
    if (heard == null || hasCells) return true;
    for (Slot slot : heard.slots) if (slot.plmn != null || slot.simPlmn != null) return true;
    return whole.getPhoneType() != TelephonyManager.PHONE_TYPE_NONE;
  }
}
