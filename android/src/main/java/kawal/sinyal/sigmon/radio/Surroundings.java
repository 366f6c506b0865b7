package kawal.sinyal.sigmon.radio;

import android.Manifest;
import android.content.Context;
import android.content.pm.PackageManager;
import android.location.Location;
import android.location.LocationManager;
import android.os.Build;
import android.provider.Settings;
import java.util.List;

/** What decides whether Android gives cells at all, and whether an app makes up positions. */
final class Surroundings {
  private Surroundings() {}

  /** Cells need the precise location; the coarse one is not enough. */
  static boolean isPermitted(Context context) {
    return context.checkSelfPermission(Manifest.permission.ACCESS_FINE_LOCATION) == PackageManager.PERMISSION_GRANTED;
  }

  static boolean isLocationOn(Context context) {
    try {
      if (Build.VERSION.SDK_INT >= 28) return Api28.isLocationOn(context);
      return Settings.Secure.getInt(context.getContentResolver(), Settings.Secure.LOCATION_MODE, Settings.Secure.LOCATION_MODE_OFF) != Settings.Secure.LOCATION_MODE_OFF;
    } catch (RuntimeException refused) {
      return true;
    }
  }

  /** @return null where no position is known: nothing is asked for only to learn this */
  static Boolean isMock(Context context) {
    if (!isPermitted(context)) return null;
    Boolean isMock = null;
    try {
      LocationManager manager = (LocationManager) context.getSystemService(Context.LOCATION_SERVICE);
      List<String> providers = manager.getProviders(true);
      for (String provider : providers) {
        Location known = manager.getLastKnownLocation(provider);
        if (known == null) continue;
        boolean isThis = Build.VERSION.SDK_INT >= 31 ? Api31.isMock(known) : known.isFromMockProvider();
        isMock = isThis || Boolean.TRUE.equals(isMock);
      }
    } catch (RuntimeException refused) {
      return isMock;
    }
    return isMock;
  }

  private static final class Api28 {
    static boolean isLocationOn(Context context) {
      LocationManager manager = (LocationManager) context.getSystemService(Context.LOCATION_SERVICE);
      return manager != null && manager.isLocationEnabled();
    }
  }

  private static final class Api31 {
    static boolean isMock(Location known) {
      return known.isMock();
    }
  }
}
