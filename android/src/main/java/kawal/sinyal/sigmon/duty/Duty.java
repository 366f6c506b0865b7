package kawal.sinyal.sigmon.duty;

import android.app.AlarmManager;
import android.app.PendingIntent;
import android.content.Context;
import android.content.Intent;
import android.os.PowerManager;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import javax.net.ssl.HttpsURLConnection;
import kawal.sinyal.sigmon.Clock;
import kawal.sinyal.sigmon.Platform;
import org.json.JSONObject;

/** Duty in the background, as spec/shell.md has it. All of it may be called on any thread; none of it waits for the network. */
public final class Duty {
  /** A turn is 20 s of probing and 30 s of sending at most, and then some for the configuration. */
  private static final long awake_ms_max = 90_000;
  private static final List<Runnable> listeners = new CopyOnWriteArrayList<>();
  private static Engine engine;
  private static ExecutorService turns = Executors.newSingleThreadExecutor();

  private Duty() {}

  /**
   * @param order a `DutyOrder`; on duty already, it takes the place of the one before
   * @return a `DutyState`
   * @throws IllegalArgumentException with a sentence for a bad order
   */
  public static JSONObject start(Context context, JSONObject order) {
    engine(context).start(new Order(order));
    DutyService.run(context);
    told(context);
    return state(context);
  }

  /** Ends with a goodbye, which is kept and sent. @return a `DutyState` */
  public static JSONObject stop(Context context) {
    engine(context).stop();
    told(context);
    turn(context, false, null);
    return state(context);
  }

  /** The officer wants what waits to be sent now, also past the budget. @return a `DutyState` */
  public static JSONObject send(Context context) {
    turn(context, true, null);
    return state(context);
  }

  /** @return a `DutyState`. The app is open now: where the duty had lost its place in front, it takes it again, with the location */
  public static JSONObject state(Context context) {
    Engine duty = engine(context);
    if (duty.isOn() && !DutyService.isLocated()) DutyService.run(context);
    return duty.state();
  }

  /** @return the same, for an app that may be out of sight: nothing is taken again, Android would refuse it */
  public static JSONObject stateBehind(Context context) {
    return engine(context).state();
  }

  /** @param changed runs on any thread whenever a state has changed */
  public static void listen(Runnable changed) {
    listeners.add(changed);
  }

  public static void unlisten(Runnable changed) {
    listeners.remove(changed);
  }

  static synchronized Engine engine(Context context) {
    if (engine == null) {
      Context app = context.getApplicationContext();
      engine = new Engine(Platform.origin(app), HttpsURLConnection.getDefaultSSLSocketFactory(), new Store(app), Clock.SYSTEM, new Random(), new Phone(app), new PhoneRadio(app, Clock.SYSTEM));
    }
    return engine;
  }

  /** For tests: another platform, another clock; null is the process that was killed. */
  static synchronized void use(Engine other) {
    engine = other;
  }

  /** Does what is due, awake, and then sets the one alarm for what is due next. @param done runs afterwards, may be null */
  static void turn(final Context context, final boolean isAsked, final Runnable done) {
    final Context app = context.getApplicationContext();
    final Engine duty = engine(app);
    PowerManager power = (PowerManager) app.getSystemService(Context.POWER_SERVICE);
    final PowerManager.WakeLock awake = power.newWakeLock(PowerManager.PARTIAL_WAKE_LOCK, "sigmon:duty");
    awake.setReferenceCounted(false);
    awake.acquire(awake_ms_max);
    turns.execute(new Runnable() {
      @Override public void run() {
        try {
          duty.turn(isAsked);
        } finally {
          told(app);
          if (awake.isHeld()) awake.release();
          if (done != null) done.run();
        }
      }
    });
  }

  /** After every change: one alarm, the notification, and whoever listens. */
  private static void told(Context context) {
    arrange(context);
    DutyService.follow(context);
    for (Runnable each : listeners) each.run();
  }

  /** Inexact, so that Android asks no permission for it and wakes the phone for others too; off duty it does not wake it at all. */
  static void arrange(Context context) {
    Engine duty = engine(context);
    AlarmManager alarms = (AlarmManager) context.getSystemService(Context.ALARM_SERVICE);
    PendingIntent alarm = PendingIntent.getBroadcast(context, 0, new Intent(context, AlarmReceiver.class), PendingIntent.FLAG_UPDATE_CURRENT | PendingIntent.FLAG_IMMUTABLE);
    long wake_ms = duty.wake_ms();
    if (wake_ms < 0) alarms.cancel(alarm);
    else if (duty.isOn()) alarms.setAndAllowWhileIdle(AlarmManager.ELAPSED_REALTIME_WAKEUP, Clock.SYSTEM.elapsed() + wake_ms, alarm);
    else alarms.set(AlarmManager.ELAPSED_REALTIME, Clock.SYSTEM.elapsed() + wake_ms, alarm);
  }

  /** Power has come: a duty that waits for it need not look again by itself. */
  static void charging(Context context) {
    engine(context).charging();
    arrange(context);
  }

  /** After a restart of the phone, an update or a killed process. */
  static void resume(Context context) {
    if (engine(context).isOn()) DutyService.runBehind(context);
    arrange(context);
  }
}
