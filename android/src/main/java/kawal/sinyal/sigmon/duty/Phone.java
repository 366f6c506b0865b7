package kawal.sinyal.sigmon.duty;

import android.Manifest;
import android.content.Context;
import android.content.Intent;
import android.content.IntentFilter;
import android.content.pm.PackageManager;
import android.net.ConnectivityManager;
import android.net.NetworkCapabilities;
import android.os.BatteryManager;
import android.os.PowerManager;
import android.provider.Settings;

/** What Android says of the phone: its network, its battery, its permissions. None of it needs one. */
final class Phone {
  private final Context context;

  Phone(Context context) {
    this.context = context;
  }

  /** @return `cellular`, `wifi`, `wired`, `none`, or `unknown` for another kind */
  String access() {
    ConnectivityManager networks = (ConnectivityManager) context.getSystemService(Context.CONNECTIVITY_SERVICE);
    NetworkCapabilities able = networks == null || networks.getActiveNetwork() == null ? null : networks.getNetworkCapabilities(networks.getActiveNetwork());
    if (able == null) return "none";
    if (able.hasTransport(NetworkCapabilities.TRANSPORT_WIFI)) return "wifi";
    if (able.hasTransport(NetworkCapabilities.TRANSPORT_CELLULAR)) return "cellular";
    return able.hasTransport(NetworkCapabilities.TRANSPORT_ETHERNET) ? "wired" : "unknown";
  }

  boolean isCharging() {
    Intent battery = battery();
    return battery == null || battery.getIntExtra(BatteryManager.EXTRA_PLUGGED, 0) != 0;
  }

  /** Whole percent; 100 where the phone does not say. */
  int percent() {
    Intent battery = battery();
    int level = battery == null ? -1 : battery.getIntExtra(BatteryManager.EXTRA_LEVEL, -1);
    int scale = battery == null ? -1 : battery.getIntExtra(BatteryManager.EXTRA_SCALE, -1);
    return level < 0 || scale <= 0 ? 100 : level * 100 / scale;
  }

  /** What is left is for the recap: below 5 %, and until it charges or is above 10 % again. @param wasLow it was too low before */
  boolean isLow(boolean wasLow) {
    return !isCharging() && (percent() < 5 || (wasLow && percent() <= 10));
  }

  /** How many times the interval the battery asks for. */
  int pace() {
    int percent = isCharging() ? 100 : percent();
    return percent < 10 ? 4 : percent < 20 || isSaving() ? 2 : 1;
  }

  private Intent battery() {
    return context.registerReceiver(null, new IntentFilter(Intent.ACTION_BATTERY_CHANGED));
  }

  boolean isSaving() {
    PowerManager power = (PowerManager) context.getSystemService(Context.POWER_SERVICE);
    return power != null && power.isPowerSaveMode();
  }

  /** How often the phone was switched on: the clock that never jumps begins anew each time. */
  int boots() {
    return Settings.Global.getInt(context.getContentResolver(), Settings.Global.BOOT_COUNT, 0);
  }

  boolean mayLocate() {
    return context.checkSelfPermission(Manifest.permission.ACCESS_FINE_LOCATION) == PackageManager.PERMISSION_GRANTED
        || context.checkSelfPermission(Manifest.permission.ACCESS_COARSE_LOCATION) == PackageManager.PERMISSION_GRANTED;
  }
}
