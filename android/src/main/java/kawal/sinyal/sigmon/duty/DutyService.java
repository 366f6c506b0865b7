package kawal.sinyal.sigmon.duty;

import android.app.NotificationManager;
import android.app.Service;
import android.content.BroadcastReceiver;
import android.content.Context;
import android.content.Intent;
import android.content.IntentFilter;
import android.content.pm.ServiceInfo;
import android.os.Build;
import android.os.IBinder;

/**
 * Keeps the duty in front, so that Android leaves it the network and, where it may, the location: without that there are no
 * cells. Whatever Android refuses, the alarms go on.
 */
public final class DutyService extends Service {
  private static volatile boolean isRunning = false;
  private static volatile boolean isLocated = false;

  static boolean isRunning() {
    return isRunning;
  }

  /** Whether the location comes with it. Where the permission lacks there is nothing to win. */
  static boolean isLocated() {
    return isLocated;
  }

  private static final String from_page = "from the page";

  /** Starts it for the page, which is open, or lets it try for the location again. */
  static void run(Context context) {
    run(context, new Intent(context, DutyService.class).putExtra(from_page, true));
  }

  /** The same after a restart or a killed process, with no page on screen: Android may refuse, and then a notification asks for a tap. */
  static void runBehind(Context context) {
    run(context, new Intent(context, DutyService.class));
  }

  private static void run(Context context, Intent intent) {
    try {
      if (Build.VERSION.SDK_INT >= 26) Api26.start(context, intent);
      else context.startService(intent);
    } catch (IllegalStateException | SecurityException refused) {
      // ForegroundServiceStartNotAllowedException (Android 12) is an IllegalStateException.
      Notice.show(context, true);
    }
  }

  /** The notification says what holds now; off duty there is none. */
  static void follow(Context context) {
    if (Duty.engine(context).isOn()) {
      if (isRunning) Notice.show(context, !isLocated);
      return;
    }
    context.stopService(new Intent(context, DutyService.class));
    NotificationManager notices = (NotificationManager) context.getSystemService(Context.NOTIFICATION_SERVICE);
    notices.cancel(Notice.id);
  }

  /** Given by Android to what runs alone, not to the manifest. */
  private final BroadcastReceiver power = new BroadcastReceiver() {
    @Override public void onReceive(Context context, Intent intent) {
      Duty.charging(context);
    }
  };

  @Override public void onCreate() {
    super.onCreate();
    registerReceiver(power, new IntentFilter(Intent.ACTION_POWER_CONNECTED));
  }

  @Override public int onStartCommand(Intent intent, int flags, int startId) {
    isRunning = true;
    // Of what began behind, or was started again by Android itself, Android 11 to 13 take the location away without a word.
    boolean isSilent = Build.VERSION.SDK_INT >= 30 && Build.VERSION.SDK_INT < 34 && !isLocated && (intent == null || !intent.getBooleanExtra(from_page, false));
    isLocated = front(isSilent);
    if (!Duty.engine(this).isOn()) {
      stopSelf();
      return START_NOT_STICKY;
    }
    Duty.arrange(this);
    return START_STICKY;
  }

  /** @return whether the location comes with it */
  private boolean front(boolean isSilent) {
    boolean mayLocate = !isSilent && new Phone(this).mayLocate();
    try {
      if (Build.VERSION.SDK_INT < 29) startForeground(Notice.id, Notice.of(this, !mayLocate));
      else if (Build.VERSION.SDK_INT < 34) Api29.front(this, ServiceInfo.FOREGROUND_SERVICE_TYPE_LOCATION, !mayLocate);
      else if (mayLocate) Api29.front(this, ServiceInfo.FOREGROUND_SERVICE_TYPE_LOCATION, false);
      else throw new SecurityException("no permission for the location");
      return mayLocate;
    } catch (SecurityException | IllegalStateException refused) {
      return special();
    }
  }

  /** Without the location: after a restart Android gives none to whoever was not opened since. */
  private boolean special() {
    try {
      if (Build.VERSION.SDK_INT >= 34) Api29.front(this, Api34.special, true);
      else startForeground(Notice.id, Notice.of(this, true));
    } catch (SecurityException | IllegalStateException refused) {
      Notice.show(this, true);
    }
    return false;
  }

  @Override public void onDestroy() {
    unregisterReceiver(power);
    isRunning = false;
    isLocated = false;
    super.onDestroy();
  }

  @Override public IBinder onBind(Intent intent) {
    return null;
  }

  private static final class Api26 {
    static void start(Context context, Intent intent) {
      context.startForegroundService(intent);
    }
  }

  private static final class Api29 {
    static void front(Service service, int type, boolean wantsTap) {
      service.startForeground(Notice.id, Notice.of(service, wantsTap), type);
    }
  }

  private static final class Api34 {
    static final int special = ServiceInfo.FOREGROUND_SERVICE_TYPE_SPECIAL_USE;
  }
}
