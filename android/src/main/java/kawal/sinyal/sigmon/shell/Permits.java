package kawal.sinyal.sigmon.shell;

import android.Manifest;
import android.annotation.TargetApi;
import android.app.Activity;
import android.app.NotificationManager;
import android.content.Context;
import android.content.SharedPreferences;
import android.content.pm.PackageManager;
import android.location.LocationManager;
import android.os.Build;
import android.os.PowerManager;
import android.provider.Settings;
import android.util.SparseArray;
import org.json.JSONException;
import org.json.JSONObject;

/** What the officer has allowed, and the phone's own questions. All on the main thread. */
final class Permits {
  static final String[] LOCATION = {Manifest.permission.ACCESS_FINE_LOCATION, Manifest.permission.ACCESS_COARSE_LOCATION};
  static final String[] CAMERA = {Manifest.permission.CAMERA};
  static final String[] NOTIFICATIONS = {"android.permission.POST_NOTIFICATIONS"};
  private static final int NOTIFICATIONS_ASKED_SINCE = 33;
  /** Codes of requests are above it. */
  private static final int FIRST_CODE = 100;

  private final Activity activity;
  /** Android says nothing of "never again": a permission that was refused, and that may not be explained, is blocked. */
  private final SharedPreferences refused;
  private final SparseArray<Runnable> waiting = new SparseArray<>();
  private int code = FIRST_CODE;

  Permits(Activity activity) {
    this.activity = activity;
    refused = activity.getSharedPreferences("refused", Context.MODE_PRIVATE);
  }

  /** Permissions of spec/shell.md. */
  JSONObject read() throws JSONException {
    PowerManager power = (PowerManager) activity.getSystemService(Context.POWER_SERVICE);
    return new JSONObject().put("location", location()).put("notifications", notifications()).put("precise", isGranted(LOCATION[0])).put("locationOn", isLocationOn())
        .put("batteryFree", power.isIgnoringBatteryOptimizations(activity.getPackageName()));
  }

  private String location() {
    if (isLocated()) return "granted";
    return isBlocked(LOCATION[0]) ? "blocked" : "askable";
  }

  private String notifications() {
    NotificationManager manager = (NotificationManager) activity.getSystemService(Context.NOTIFICATION_SERVICE);
    if (manager.areNotificationsEnabled()) return "granted";
    return Build.VERSION.SDK_INT < NOTIFICATIONS_ASKED_SINCE || isGranted(NOTIFICATIONS[0]) || isBlocked(NOTIFICATIONS[0]) ? "blocked" : "askable";
  }

  boolean isGranted(String permission) {
    return activity.checkSelfPermission(permission) == PackageManager.PERMISSION_GRANTED;
  }

  /** Whether Android gives a place, be it approximate. */
  boolean isLocated() {
    return isGranted(LOCATION[0]) || isGranted(LOCATION[1]);
  }

  private boolean isBlocked(String permission) {
    return refused.getBoolean(permission, false) && !activity.shouldShowRequestPermissionRationale(permission);
  }

  private boolean isLocationOn() {
    LocationManager manager = (LocationManager) activity.getSystemService(Context.LOCATION_SERVICE);
    if (manager == null) return false;
    if (Build.VERSION.SDK_INT >= 28) return Api28.isLocationOn(manager);
    return Settings.Secure.getInt(activity.getContentResolver(), Settings.Secure.LOCATION_MODE, Settings.Secure.LOCATION_MODE_OFF) != Settings.Secure.LOCATION_MODE_OFF;
  }

  /** Asks by the phone's own question, and runs `then` whatever the officer answers. Android asks one thing at a time, and so do we. */
  void ask(String[] permissions, Runnable then) {
    boolean isAskable = permissions != NOTIFICATIONS || Build.VERSION.SDK_INT >= NOTIFICATIONS_ASKED_SINCE;
    if (!isAskable || isGranted(permissions[0])) {
      then.run();
      return;
    }
    waiting.put(++code, then);
    activity.requestPermissions(permissions, code);
  }

  /** Of the activity. A question that was taken away unanswered, as when two are asked at once, has no results and refuses nothing. */
  void answered(int answeredCode, String[] permissions, int[] results) {
    for (int index = 0; index < results.length; index++) {
      if (results[index] != PackageManager.PERMISSION_GRANTED) refused.edit().putBoolean(permissions[index], true).apply();
    }
    Runnable then = waiting.get(answeredCode);
    waiting.remove(answeredCode);
    if (then != null) then.run();
  }

  @TargetApi(28)
  private static final class Api28 {
    static boolean isLocationOn(LocationManager manager) {
      return manager.isLocationEnabled();
    }
  }
}
