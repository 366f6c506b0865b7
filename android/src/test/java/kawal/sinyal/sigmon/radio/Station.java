package kawal.sinyal.sigmon.radio;

import static org.junit.Assert.assertEquals;
import static org.robolectric.Shadows.shadowOf;

import android.Manifest;
import android.app.Application;
import android.content.pm.PackageManager;
import android.location.LocationManager;
import android.os.Build;
import android.os.Looper;
import android.os.SystemClock;
import android.provider.Settings;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import kawal.sinyal.sigmon.Clock;
import org.json.JSONException;
import org.json.JSONObject;
import org.robolectric.RuntimeEnvironment;
import org.robolectric.shadows.ShadowSystemClock;

/** A phone at a polling station, with a reader, and time that only a test turns. */
final class Station {
  static final long NOW = Instant.parse("2029-02-14T01:55:12.000Z").toEpochMilli();

  final Application application = RuntimeEnvironment.getApplication();
  final List<JSONObject> told = Collections.synchronizedList(new ArrayList<>());
  final RadioReader reader;

  Station() {
    ShadowSystemClock.advanceBy(Duration.ofMinutes(10));
    Handset.reset();
    RadioReader.forget();
    shadowOf(application.getPackageManager()).setSystemFeature(PackageManager.FEATURE_TELEPHONY, true);
    shadowOf(application).grantPermissions(Manifest.permission.ACCESS_FINE_LOCATION);
    location(true);
    reader = new RadioReader(application, clock());
  }

  Clock clock() {
    final long began = SystemClock.elapsedRealtime();
    return new Clock() {
      @Override public long now() {
        return NOW + elapsed() - began;
      }

      @Override public long elapsed() {
        return SystemClock.elapsedRealtime();
      }
    };
  }

  void location(boolean isOn) {
    if (Build.VERSION.SDK_INT >= 28) shadowOf(application.getSystemService(LocationManager.class)).setLocationEnabled(isOn);
    else Settings.Secure.putInt(application.getContentResolver(), Settings.Secure.LOCATION_MODE, isOn ? Settings.Secure.LOCATION_MODE_HIGH_ACCURACY : Settings.Secure.LOCATION_MODE_OFF);
  }

  void airplane(boolean isOn) {
    Settings.Global.putInt(application.getContentResolver(), Settings.Global.AIRPLANE_MODE_ON, isOn ? 1 : 0);
  }

  void ask() {
    reader.read(reading -> told.add(reading));
    settle();
  }

  /** Lets both threads do what is due. */
  void settle() {
    for (int turn = 0; turn < 3; turn++) {
      shadowOf(RadioReader.handler().getLooper()).idle();
      shadowOf(Looper.getMainLooper()).idle();
    }
  }

  void pass(long ms) {
    ShadowSystemClock.advanceBy(Duration.ofMillis(ms));
    settle();
  }

  /** Asks and gives what came, at once or when the phone's time is up. */
  JSONObject read() {
    int before = told.size();
    ask();
    if (told.size() == before) pass(Scan.ANSWER_MS_MAX);
    assertEquals("one answer", before + 1, told.size());
    return told.get(before);
  }

  static JSONObject slot(JSONObject reading, int index) throws JSONException {
    return reading.getJSONArray("slots").getJSONObject(index);
  }

  static JSONObject cell(JSONObject reading, int slot, int index) throws JSONException {
    return slot(reading, slot).getJSONArray("cells").getJSONObject(index);
  }
}
