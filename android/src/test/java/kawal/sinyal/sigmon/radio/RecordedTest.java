package kawal.sinyal.sigmon.radio;

import static org.junit.Assert.assertEquals;

import android.Manifest;
import android.os.SystemClock;
import android.telephony.CellInfo;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.time.Instant;
import java.util.Arrays;
import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.Shadows;
import org.robolectric.annotation.Config;

/**
 * What the reader really answers, as files beside the other examples of the bridge, so that the page's reader is tested with
 * it: `mvn test -Dtest=RecordedTest -Drecord=true` writes them anew, else they have to be the same.
 */
@RunWith(RobolectricTestRunner.class)
@Config(sdk = 33, manifest = Config.NONE, shadows = {Handset.Phone.class, Handset.Subscriptions.class})
public class RecordedTest {
  private Station station;

  @Before public void begin() {
    station = new Station();
  }

  @After public void end() {
    RadioReader.forget();
  }

  private static void hears(Handset.Sim sim, CellInfo... cells) {
    sim.measured = Handset.remembered = Arrays.asList(cells);
  }

  @Test public void lte() throws Exception {
    hears(Handset.insert(0, 1), Heard.lte().registered("51010").levels(-97, -11, 8, -67).identity(21_044, 37_251_073, 211, 1_850).make(), Heard.lte().levels(-109, -17).identity(Heard.NONE, Heard.NONE, 99, 1_850).make());
    recorded("lte", "Android 13, one SIM in LTE, one neighbour.");
  }

  @Test @Config(sdk = 29) public void lteOfAndroid10() throws Exception {
    hears(Handset.insert(0, 1), Heard.lte().registered("51010").levels(-104, -13, 25, -75).identity(21_044, 37_251_073, 211, 1_850).make());
    recorded("lte-android-10", "Android 10 tells the SINR in tenths of a dB, and LTE's RSSI for the first time: 25 of them are 2.5 dB.");
  }

  @Test @Config(sdk = 24) public void dirtOfAndroid7() throws Exception {
    hears(Handset.insert(0, 1), Heard.lte().registered("51010").levels(-200, 7).identity(21_044, 37_251_073, 211, 1_850).make());
    recorded("dirt-android-7", "Android 7 tells of LTE the RSRP alone, and cuts nothing off: -200 leaves the phone as it is and is no value of a sample.");
  }

  @Test @Config(sdk = 24) public void gsmOfAndroid7() throws Exception {
    hears(Handset.insert(0, 1), Heard.gsm().registered("51010").levels(-89).identity(501, 4_102, 33, 62).make(), Heard.gsm().levels(Heard.NONE).identity(501, 4_103, 255, 70).make());
    recorded("gsm-android-7", "Android 7 in GSM, with a neighbour of which nothing is known.");
  }

  @Test public void umts() throws Exception {
    hears(Handset.insert(0, 1), Heard.umts().registered("50212").levels(-92, -9, -82).identity(501, 1_311_234, 340, 10_562).make());
    Handset.sims.get(1).plmn = "50212";
    recorded("umts", "Android 13 abroad: RSCP and Ec/No.");
  }

  @Test @Config(sdk = 24) public void umtsOfAndroid7() throws Exception {
    hears(Handset.insert(0, 1), Heard.umts().registered("50212").levels(-92, -9, -81).identity(501, 1_311_234, 340, 10_562).make());
    Handset.sims.get(1).plmn = "50212";
    recorded("umts-android-7", "Android before 10 tells of UMTS the RSSI alone, which is no pilot's power: the sample has no value.");
  }

  @Test @Config(sdk = 37) public void nrStandalone() throws Exception {
    hears(Handset.insert(0, 1), Heard.nr().registered("51010").status(CellInfo.CONNECTION_PRIMARY_SERVING).levels(-88, -11, 14).identity(70_000, 51_539_607_552L, 640, 432_050).make());
    recorded("nr-standalone", "Android 17 in 5G alone.");
  }

  @Test public void nrBesideLte() throws Exception {
    Handset.Sim sim = Handset.insert(0, 1);
    hears(sim, Heard.lte().registered("51011").levels(-101, -12, 4).identity(7_310, 104_857_601, 18, 1_650).make());
    sim.plmn = sim.simPlmn = "51011";
    sim.strength = Heard.lte().levels(-101, -12, 4).strength(Heard.nr().levels(-94, -12, 9));
    recorded("nr-non-standalone", "5G beside LTE on a phone that leaves it out of the list of cells: only what stands behind the bars tells of it, without identity.");
  }

  @Test @Config(sdk = 37) public void twoSims() throws Exception {
    Handset.insert(0, 3);
    Handset.insert(1, 7).plmn = "51011";
    Handset.sims.get(7).simPlmn = "51011";
    Handset.data = 7;
    CellInfo first = Heard.lte().registered("51010").levels(-84, -9).identity(21_044, 37_251_073, 211, 1_850).make();
    CellInfo second = Heard.lte().registered("51011").levels(-113, -15, -3).identity(7_310, 104_857_601, 18, 1_650).make();
    Handset.sims.get(3).measured = Handset.sims.get(7).measured = Arrays.asList(first, second);
    recorded("two-sims", "Two SIMs, on a phone that answers for each with the cells of both: they are given to the SIM in whose network they are, once.");
  }

  @Test @Config(sdk = 24) public void twoSimsOfAndroid7() throws Exception {
    hears(Handset.insert(0, 3), Heard.lte().registered("51001").levels(-84).identity(21_044, 37_251_073, 211, 1_850).make(), Heard.lte().registered("51010").levels(-113).identity(7_310, 104_857_601, 18, 1_650).make());
    Handset.insert(1, 7).plmn = "51001";
    recorded("two-sims-android-7", "Android before 10 tells of one SIM, the one that carries data, with the cells of all: those of another network are another SIM's.");
  }

  @Test public void permissionRefused() throws Exception {
    Handset.insert(0, 1).strength = Heard.lte().levels(-97, -11, 8, -67).strength(null);
    Shadows.shadowOf(station.application).denyPermissions(Manifest.permission.ACCESS_FINE_LOCATION);
    recorded("permission-refused", "Location is not allowed: no cells, but what the phone draws its bars from needs none.");
  }

  @Test @Config(sdk = 29) public void airplane() throws Exception {
    Handset.insert(0, 1).plmn = "";
    station.airplane(true);
    recorded("airplane", "Aeroplane mode: the modem is off, the SIM is still known.");
  }

  @Test public void stale() throws Exception {
    Handset.insert(0, 1).answer = Handset.Answer.FAILS;
    Handset.remembered = Arrays.asList(Heard.lte().registered("51010").levels(-97, -11).at(SystemClock.elapsedRealtime() - 240_000).make());
    recorded("stale", "The modem failed to measure anew, and the phone remembers a value of four minutes ago.");
  }

  private void recorded(String name, String about) throws Exception {
    JSONObject reading = station.read();
    String now = "2029-02-14T01:55:13.000Z";
    String text = "{\n  \"about\": " + JSONObject.quote(about).replace("\\/", "/") + ",\n  \"now\": \"" + now + "\",\n  \"given\": {\n    "
      + entries(reading, "readAt", "source", "platform", "airplane", "mockLocation", "gap") + ",\n    \"slots\": [" + slots(reading.getJSONArray("slots")) + "\n    ]\n  },\n  \"sample\": "
      + Json.sample(RadioSample.of(reading, Instant.parse(now).toEpochMilli())) + "\n}\n";
    Path file = Paths.get("../spec/radio-bridge/android", name + ".json");
    if (Boolean.getBoolean("record")) {
      Files.createDirectories(file.getParent());
      Files.write(file, text.getBytes(StandardCharsets.UTF_8));
    }
    assertEquals(text, new String(Files.readAllBytes(file), StandardCharsets.UTF_8));
  }

  private static String slots(JSONArray slots) throws JSONException {
    StringBuilder text = new StringBuilder();
    for (int index = 0; index < slots.length(); index++) {
      JSONArray cells = slots.getJSONObject(index).getJSONArray("cells");
      text.append(index == 0 ? "" : ",").append("\n      { ").append(entries(slots.getJSONObject(index), "slot", "dataSim", "plmn", "simPlmn")).append(", \"cells\": [");
      for (int place = 0; place < cells.length(); place++) text.append(place == 0 ? "" : ",").append("\n        ").append(cells.get(place));
      text.append(cells.length() == 0 ? "] }" : "\n      ] }");
    }
    return text.toString();
  }

  private static String entries(JSONObject object, String... names) throws JSONException {
    StringBuilder text = new StringBuilder();
    for (String name : names) text.append(text.length() == 0 ? "" : ", ").append('"').append(name).append("\": ").append(object.get(name) instanceof String ? JSONObject.quote(object.getString(name)) : String.valueOf(object.get(name)));
    return text.toString();
  }
}
