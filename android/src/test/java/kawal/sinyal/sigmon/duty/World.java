package kawal.sinyal.sigmon.duty;

import android.app.Application;
import android.content.Intent;
import android.net.ConnectivityManager;
import android.net.NetworkCapabilities;
import android.os.BatteryManager;
import java.util.Random;
import javax.net.ssl.SSLSocketFactory;
import kawal.sinyal.sigmon.Clock;
import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;
import org.robolectric.RuntimeEnvironment;
import org.robolectric.Shadows;
import org.robolectric.shadows.ShadowNetworkCapabilities;

/** A phone whose clock is turned by hand, with the duty on it. */
final class World implements AutoCloseable {
  static final long began = 1_865_724_912_000L;
  final class Hand implements Clock {
    long now = began;
    long elapsed = 1_000_000;

    /** The process dies at so many looks at the clock from now, which are all over a turn; 0: it lives. */
    int diesIn = 0;
    private final Thread own = Thread.currentThread();

    @Override public long now() {
      dieIfDue();
      return now;
    }

    @Override public long elapsed() {
      dieIfDue();
      return elapsed;
    }

    private void dieIfDue() {
      if (diesIn > 0 && Thread.currentThread() == own && --diesIn == 0) throw new Killed();
    }
  }

  static final class Killed extends RuntimeException {
    private static final long serialVersionUID = 1;
  }

  final Application app = RuntimeEnvironment.getApplication();
  final Hand clock = new Hand();
  final Random random;
  final TestPlatform platform;
  String origin;
  SSLSocketFactory factory = (SSLSocketFactory) SSLSocketFactory.getDefault();
  JSONObject reading = new JSONObject();
  Store store = new Store(app);
  Engine duty;
  int wakes = 0;

  World(long seed) throws Exception {
    random = new Random(seed);
    platform = new TestPlatform(clock);
    origin = platform.origin();
    online(true);
    battery(80, false);
    open();
  }

  void open() {
    duty = new Engine(origin, factory, store, clock, random, new Phone(app), new Radio() {
      @Override public JSONObject read() {
        return reading;
      }

      @Override public JSONObject sample(JSONObject reading, long now) {
        try {
          return reading.has("gap") ? new JSONObject() : new JSONObject().put("technology", "lte").put("sim", "51010")
              .put("radio", new JSONObject().put("source", "android").put("ageMs", 400).put("rsrpDbm", -97).put("rsrqDb", -11).put("sinrDb", 8).put("rssiDbm", JSONObject.NULL));
        } catch (JSONException none) {
          throw new IllegalStateException(none);
        }
      }
    });
    Duty.use(duty);
  }

  /** The process is killed, and begins again. */
  void kill() {
    store.close();
    store = new Store(app);
    open();
  }

  void online(boolean is) {
    ConnectivityManager networks = app.getSystemService(ConnectivityManager.class);
    NetworkCapabilities able = ShadowNetworkCapabilities.newInstance();
    if (is) Shadows.shadowOf(able).addTransportType(NetworkCapabilities.TRANSPORT_CELLULAR);
    Shadows.shadowOf(networks).setNetworkCapabilities(networks.getActiveNetwork(), is ? able : null);
  }

  @SuppressWarnings("deprecation")
  void battery(int percent, boolean isCharging) {
    app.sendStickyBroadcast(new Intent(Intent.ACTION_BATTERY_CHANGED).putExtra(BatteryManager.EXTRA_LEVEL, percent).putExtra(BatteryManager.EXTRA_SCALE, 100).putExtra(BatteryManager.EXTRA_PLUGGED, isCharging ? 1 : 0));
  }

  void pass(long ms) {
    clock.now += ms;
    clock.elapsed += ms;
  }

  /** Lets the alarms wake it until so much time is over. */
  void live(long ms) {
    long until = clock.elapsed + ms;
    for (int i = 0; i < 100_000; i++) {
      long wake = duty.wake_ms();
      if (wake < 0 || clock.elapsed + wake > until) break;
      pass(wake);
      wakes++;
      duty.turn(false);
    }
    pass(until - clock.elapsed);
  }

  JSONObject order() throws JSONException {
    JSONObject config = new JSONObject("{\"version\":3,\"issuedAt\":\"2029-02-13T10:00:00.000Z\",\"validUntil\":\"2029-03-01T00:00:00.000Z\",\"keys\":[],\"intervalS\":300,\"jitterShare\":0.2,\"spreadS\":600,"
        + "\"probes\":{\"routine\":3,\"check\":10,\"timeoutMs\":4000,\"reachEvery\":12},\"targets\":{\"internet\":null,\"election\":null},\"fullTestShare\":0,"
        + "\"budget\":{\"dailyBytes\":5000000,\"checkDownBytes\":150000,\"checkUpBytes\":75000,\"fullTestBytes\":3000000},\"helpLines\":[]}");
    return new JSONObject().put("station", "7571011001003").put("zone", "Asia/Makassar").put("token", "AAAB.c2lnbmVk").put("sequence", new JSONObject().put("from", 10_401).put("to", 20_400))
        .put("sim", JSONObject.NULL).put("accessPoint", JSONObject.NULL).put("config", config).put("keys", new JSONArray()).put("intervalS", JSONObject.NULL)
        .put("budget", new JSONObject().put("dailyBytes", 5_000_000).put("spentBytes", 236_000).put("metered", false)).put("language", "id");
  }

  void start() throws JSONException {
    duty.start(new Order(order()));
  }

  String held() throws JSONException {
    JSONObject state = duty.state();
    return state.isNull("held") ? null : state.getString("held");
  }

  @Override public void close() {
    platform.close();
    store.close();
    Duty.use(null);
  }
}
