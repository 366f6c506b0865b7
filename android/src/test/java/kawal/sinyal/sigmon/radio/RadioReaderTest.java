package kawal.sinyal.sigmon.radio;

import static kawal.sinyal.sigmon.radio.Station.cell;
import static kawal.sinyal.sigmon.radio.Station.slot;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import android.Manifest;
import android.content.pm.PackageManager;
import android.location.Location;
import android.location.LocationManager;
import android.os.Build;
import android.os.SystemClock;
import android.telephony.CellInfo;
import android.telephony.TelephonyManager;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Iterator;
import java.util.Set;
import org.json.JSONArray;
import org.json.JSONObject;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.Shadows;
import org.robolectric.annotation.Config;

@RunWith(RobolectricTestRunner.class)
@Config(sdk = {24, 29, 33, 37}, manifest = Config.NONE, shadows = {Handset.Phone.class, Handset.Subscriptions.class})
public class RadioReaderTest {
  private static final boolean asksAnew = Build.VERSION.SDK_INT >= 29;
  private Station station;

  @Before public void begin() {
    station = new Station();
  }

  @After public void end() {
    RadioReader.forget();
  }

  /** The cells as this version of Android hands them over. */
  private void hears(Handset.Sim sim, CellInfo... cells) {
    sim.measured = Arrays.asList(cells);
    Handset.remembered.addAll(sim.measured);
  }

  @Test public void lte() throws Exception {
    int tenths = Build.VERSION.SDK_INT < 31 ? 80 : 8;
    hears(Handset.insert(0, 1), Heard.lte().registered("51010").levels(-97, -11, tenths, -67).identity(21_044, 37_251_073, 211, 1_850).make(), Heard.lte().levels(-109, -17).identity(Heard.NONE, Heard.NONE, 99, 1_850).make());
    JSONObject reading = station.read();
    assertEquals("2029-02-14T01:55:12.000Z", reading.getString("readAt"));
    assertEquals("android " + Build.VERSION.RELEASE, reading.getString("platform"));
    assertTrue(reading.isNull("gap"));
    assertFalse(reading.getBoolean("airplane"));
    assertEquals("51010", slot(reading, 0).getString("plmn"));
    assertTrue(slot(reading, 0).getBoolean("dataSim"));
    boolean isOld = Build.VERSION.SDK_INT < 26;
    holds("registered true, rsrpDbm -97, rsrqDb " + (isOld ? null : -11) + ", sinrDb " + (isOld ? null : 8) + ", rssiDbm " + (asksAnew ? -67 : null) + ", tac 21044, cellId 37251073, pci 211, channel 1850, ageMs 400, lac null", cell(reading, 0, 0));
    holds("registered false, rsrpDbm -109, cellId null, pci 99, tac null", cell(reading, 0, 1));
  }

  @Test public void gsmAndUmts() throws Exception {
    hears(Handset.insert(0, 1), Heard.gsm().registered("51010").levels(-89).identity(501, 4_102, 33, 62).make(), Heard.umts().levels(-92, -9, -81).identity(501, 1_311_234, 340, 10_562).make(), Heard.umts().levels(Heard.NONE, Heard.NONE, -81).make());
    JSONObject reading = station.read();
    holds("technology gsm, rssiDbm -89, lac 501, cellId 4102, pci 33, channel 62, rsrpDbm null, tac null", cell(reading, 0, 0));
    holds("technology umts, lac 501, cellId 1311234, pci 340, channel 10562, " + (asksAnew ? "rscpDbm -92, rssiDbm null" : "rscpDbm null, rssiDbm -81") + ", ecioDb " + (Build.VERSION.SDK_INT >= 30 ? "-9" : "null"), cell(reading, 0, 1));
    holds("technology umts, rscpDbm null, rssiDbm -81, ecioDb null", cell(reading, 0, 2));
  }

  @Test @Config(sdk = {29, 33, 37}) public void fiveGAlone() throws Exception {
    hears(Handset.insert(0, 1), Heard.nr().registered("51011").levels(-88, -11, 14).identity(60_000, 51_539_607_552L, 640, 432_050).make());
    holds("technology nr, registered true, rsrpDbm -88, rsrqDb -11, sinrDb 14, tac 60000, cellId 51539607552, pci 640, channel 432050", cell(station.read(), 0, 0));
  }

  @Test @Config(sdk = {29, 33, 37}) public void fiveGBesideLteInTheListOfCells() throws Exception {
    CellInfo anchor = Heard.lte().registered("51011").levels(-101, -12).identity(7_310, 104_857_601, 18, 1_650).make();
    hears(Handset.insert(0, 1), anchor, Heard.nr().status(CellInfo.CONNECTION_SECONDARY_SERVING).levels(-94, -12, 9).identity(Heard.NONE, Heard.NONE, 500, 647_328).make());
    JSONObject reading = station.read();
    holds("technology lte, registered true", cell(reading, 0, 0));
    holds("technology nr, registered false, secondary true, rsrpDbm -94, pci 500", cell(reading, 0, 1));
    // some phones call both registered
    RadioReader.forget();
    Handset.sims.get(1).measured = Arrays.asList(Heard.nr().registered("51011").levels(-94, -12, 9).identity(Heard.NONE, Heard.NONE, 500, 647_328).make(), anchor);
    reading = station.read();
    holds("technology lte, registered true", cell(reading, 0, 0));
    holds("technology nr, registered false, secondary true", cell(reading, 0, 1));
  }

  @Test @Config(sdk = {29, 33, 37}) public void fiveGBesideLteKnownToTheBarsAlone() throws Exception {
    Handset.Sim sim = Handset.insert(0, 1);
    hears(sim, Heard.lte().registered("51010").levels(-101, -12).identity(7_310, 104_857_601, 18, 1_650).make());
    sim.strength = Heard.lte().levels(-101, -12).strength(Heard.nr().levels(-94, -12, 9));
    JSONObject reading = station.read();
    assertEquals(2, slot(reading, 0).getJSONArray("cells").length());
    holds("technology nr, registered false, secondary true, rsrpDbm -94, rsrqDb -12, sinrDb 9, pci null, cellId null, ageMs " + (Build.VERSION.SDK_INT >= 30 ? "400" : "null"), cell(reading, 0, 1));
  }

  @Test public void whatIsUnavailableIsNull() throws Exception {
    hears(Handset.insert(0, 1), Heard.lte().registered("51010").make(), Heard.gsm().make(), Heard.umts().make(), asksAnew ? Heard.nr().make() : null, Heard.cdma());
    JSONObject reading = station.read();
    JSONArray cells = slot(reading, 0).getJSONArray("cells");
    assertEquals(asksAnew ? 4 : 3, cells.length());
    for (int index = 0; index < cells.length(); index++) for (String name : all()) assertTrue(cells.getJSONObject(index) + " " + name, cells.getJSONObject(index).isNull(name));
    assertFalse(reading.toString(), reading.toString().contains("2147483647") || reading.toString().contains("9223372036854775807"));
  }

  @Test @Config(sdk = 24) public void whatCannotBeLeavesAsItCameAndIsJudgedByTheReader() throws Exception {
    hears(Handset.insert(0, 1), Heard.lte().registered("51010").levels(-200, 7).make(), Heard.lte().levels(-2_147_483_647).make());
    JSONObject reading = station.read();
    holds("rsrpDbm -200", cell(reading, 0, 0));
    holds("rsrpDbm null", cell(reading, 0, 1));
    assertEquals("[{name=\"lte rsrpDbm\", value=-200.0, why=\"out_of_range\"};]", Json.text(RadioSample.of(reading, Station.NOW).dropped()));
  }

  @Test @Config(sdk = {29, 33, 37}) public void twoSimsTheSecondCarriesData() throws Exception {
    hears(Handset.insert(0, 3), Heard.lte().registered("51010").levels(-84, -9).identity(21_044, 1, 1, 1).make());
    hears(Handset.insert(1, 7), Heard.lte().registered("51011").levels(-113, -15).identity(7_310, 2, 2, 2).make());
    Handset.data = 7;
    Handset.sims.get(7).plmn = Handset.sims.get(7).simPlmn = "51011";
    JSONObject reading = station.read();
    holds("slot 0, dataSim false, plmn 51010", slot(reading, 0));
    holds("slot 1, dataSim true, plmn 51011", slot(reading, 1));
    holds("rsrpDbm -113", cell(reading, 1, 0));
    assertEquals("51011", RadioSample.of(reading, Station.NOW).sim());
    assertEquals(-113, RadioSample.of(reading, Station.NOW).radio().getInt("rsrpDbm"));
  }

  @Test @Config(sdk = {29, 33, 37}) public void aPhoneThatTellsTheCellsOfAllRadiosForEachSim() throws Exception {
    CellInfo first = Heard.lte().registered("51010").levels(-84, -9).identity(21_044, 1, 1, 1).make();
    CellInfo neighbour = Heard.lte().levels(-99, -9).identity(Heard.NONE, Heard.NONE, 5, 1).make();
    CellInfo second = Heard.lte().registered("51011").levels(-113, -15).identity(7_310, 2, 2, 2).make();
    Handset.insert(0, 3).measured = Handset.insert(1, 7).measured = Arrays.asList(first, neighbour, second);
    Handset.sims.get(7).plmn = "51011";
    JSONObject reading = station.read();
    assertEquals(2, slot(reading, 0).getJSONArray("cells").length());
    assertEquals(1, slot(reading, 1).getJSONArray("cells").length());
    holds("rsrpDbm -84", cell(reading, 0, 0));
    holds("rsrpDbm -99", cell(reading, 0, 1));
    holds("rsrpDbm -113", cell(reading, 1, 0));
  }

  @Test @Config(sdk = {29, 33, 37}) public void theCellsThatThePhoneRemembersAreGivenToTheirSims() throws Exception {
    Handset.insert(0, 3).answer = Handset.Answer.FAILS;
    Handset.insert(1, 7).answer = Handset.Answer.IS_SILENT;
    Handset.data = 7;
    Handset.remembered = Arrays.asList(Heard.lte().registered("51010").levels(-84).identity(1, 1, 1, 1).make(), Heard.lte().registered("51010").levels(-113).identity(1, 2, 2, 1).make(), Heard.gsm().levels(-90).make());
    JSONObject reading = station.read();
    holds("rsrpDbm -84", cell(reading, 0, 0));
    holds("rsrpDbm -113", cell(reading, 1, 0));
    holds("technology gsm, rssiDbm -90", cell(reading, 1, 1));
  }

  @Test @Config(sdk = 24) public void twoSimsWhereThePhoneTellsOfOne() throws Exception {
    Handset.insert(0, 3);
    Handset.insert(1, 7).plmn = "51001";
    Handset.data = 3;
    hears(Handset.sims.get(3), Heard.lte().registered("51001").levels(-84).identity(1, 1, 1, 1).make(), Heard.lte().levels(-99).make(), Heard.lte().registered("51010").levels(-113).identity(1, 2, 2, 2).make());
    JSONObject reading = station.read();
    assertEquals(2, reading.getJSONArray("slots").length());
    holds("slot 0, dataSim true, plmn 51010", slot(reading, 0));
    holds("slot 1, dataSim false, plmn 51001, simPlmn null", slot(reading, 1));
    holds("rsrpDbm -113", cell(reading, 0, 0));
    holds("rsrpDbm -84", cell(reading, 1, 0));
    holds("rsrpDbm -99", cell(reading, 1, 1));
  }

  @Test @Config(sdk = {29, 37}) public void aPhoneThatHidesItsSubscriptionsIsReadAsOneSim() throws Exception {
    Handset.tellsSubscriptions = false;
    hears(Handset.insert(0, 3), Heard.lte().registered("51010").levels(-84).identity(1, 1, 1, 1).make());
    holds("rsrpDbm -84", cell(station.read(), 0, 0));
  }

  @Test public void withoutPermissionThereAreNoCellsButTheOperator() throws Exception {
    hears(Handset.insert(0, 1), Heard.lte().registered("51010").levels(-97).make());
    Shadows.shadowOf(station.application).denyPermissions(Manifest.permission.ACCESS_FINE_LOCATION);
    JSONObject reading = station.read();
    holds("gap permission, mockLocation null", reading);
    holds("simPlmn 51010, plmn 51010", slot(reading, 0));
    assertEquals(0, slot(reading, 0).getJSONArray("cells").length());
    assertEquals(0, Handset.questions);
    // allowed now: nothing of the refusal is remembered
    Shadows.shadowOf(station.application).grantPermissions(Manifest.permission.ACCESS_FINE_LOCATION);
    holds("gap null", station.read());
  }

  @Test @Config(sdk = {29, 33, 37}) public void withoutPermissionTheBarsAreStillMeasured() throws Exception {
    Handset.insert(0, 1).strength = Heard.lte().levels(-97, -11).strength(null);
    Shadows.shadowOf(station.application).denyPermissions(Manifest.permission.ACCESS_FINE_LOCATION);
    JSONObject reading = station.read();
    holds("gap permission", reading);
    holds("technology lte, registered true, rsrpDbm -97, cellId null, ageMs " + (Build.VERSION.SDK_INT >= 30 ? "400" : "null"), cell(reading, 0, 0));
  }

  @Test public void gaps() throws Exception {
    holds("gap no_sim", station.read());
    Handset.insert(0, 1);
    Handset.remembered = null;
    Handset.sims.get(1).answer = Handset.Answer.THROWS;
    RadioReader.forget();
    holds("gap no_answer", station.read());
    station.location(false);
    RadioReader.forget();
    holds("gap location_off", station.read());
    station.airplane(true);
    holds("gap modem_off, airplane true", station.read());
    station.airplane(false);
    Handset.sims.clear();
    Handset.phoneType = TelephonyManager.PHONE_TYPE_NONE;
    holds("gap no_modem", station.read());
    Handset.phoneType = TelephonyManager.PHONE_TYPE_GSM;
    Shadows.shadowOf(station.application.getPackageManager()).setSystemFeature(PackageManager.FEATURE_TELEPHONY, false);
    holds("gap no_modem", station.read());
  }

  @Test public void noServiceIsNoGap() throws Exception {
    hears(Handset.insert(0, 1), Heard.lte().levels(-118).make());
    Handset.sims.get(1).plmn = "";
    JSONObject reading = station.read();
    holds("gap null", reading);
    holds("plmn null, simPlmn 51010", slot(reading, 0));
    holds("registered false", cell(reading, 0, 0));
  }

  @Test public void anOldOrUntimedValueSaysSo() throws Exception {
    long now = SystemClock.elapsedRealtime();
    hears(Handset.insert(0, 1), Heard.lte().registered("51010").levels(-97).at(now - 240_000).make(), Heard.lte().levels(-98).at(0).make(), Heard.lte().levels(-99).at(now + 5_000).make(), Heard.lte().levels(-100).at(Long.MAX_VALUE).make());
    JSONObject reading = station.read();
    holds("ageMs 240000", cell(reading, 0, 0));
    for (int index = 1; index < 4; index++) holds("ageMs null", cell(reading, 0, index));
  }

  @Test public void aMadeUpPositionIsTold() throws Exception {
    Handset.insert(0, 1);
    holds("mockLocation null", station.read());
    LocationManager manager = station.application.getSystemService(LocationManager.class);
    Location known = new Location(LocationManager.GPS_PROVIDER);
    Shadows.shadowOf(manager).setProviderEnabled(LocationManager.GPS_PROVIDER, true);
    Shadows.shadowOf(manager).setLastKnownLocation(LocationManager.GPS_PROVIDER, known);
    holds("mockLocation false", station.read());
    known = new Location(LocationManager.GPS_PROVIDER);
    if (Build.VERSION.SDK_INT >= 31) known.setMock(true);
    else known.setIsFromMockProvider(true);
    Shadows.shadowOf(manager).setLastKnownLocation(LocationManager.GPS_PROVIDER, known);
    holds("mockLocation true", station.read());
  }

  @Test @Config(sdk = {29, 37}) public void aModemThatIsSilentIsWaitedForAndItsLateAnswerIsNobodys() throws Exception {
    Handset.Sim sim = Handset.insert(0, 1);
    sim.answer = Handset.Answer.IS_SILENT;
    Handset.remembered = Arrays.asList(Heard.lte().registered("51010").levels(-97).at(SystemClock.elapsedRealtime() - 60_000).make());
    station.ask();
    station.pass(Scan.ANSWER_MS_MAX - 1);
    assertEquals(0, station.told.size());
    station.pass(1);
    assertEquals(1, station.told.size());
    holds("rsrpDbm -97, ageMs 61200", cell(station.told.get(0), 0, 0));
    sim.measured = Arrays.asList(Heard.lte().registered("51010").levels(-60).identity(1, 2, 3, 4).make());
    for (Runnable each : Handset.pending) each.run();
    station.settle();
    assertEquals(1, station.told.size());
    assertEquals(1, slot(station.read(), 0).getJSONArray("cells").length());
    assertEquals(1, Handset.questions);
    station.pass(RadioReader.TELL_MS_MAX);
    assertEquals(2, station.told.size());
  }

  @Test @Config(sdk = {24, 37}) public void aPhoneThatHangsIsAnsweredFor() throws Exception {
    Handset.insert(0, 1);
    java.util.concurrent.CountDownLatch hangs = new java.util.concurrent.CountDownLatch(1);
    RadioReader.handler().post(() -> {
      try {
        hangs.await();
      } catch (InterruptedException ended) {
        Thread.currentThread().interrupt();
      }
    });
    Shadows.shadowOf(android.os.Looper.getMainLooper()).idle();
    station.reader.read(reading -> station.told.add(reading));
    org.robolectric.shadows.ShadowSystemClock.advanceBy(java.time.Duration.ofMillis(RadioReader.TELL_MS_MAX));
    Shadows.shadowOf(android.os.Looper.getMainLooper()).idle();
    hangs.countDown();
    assertEquals(1, station.told.size());
    holds("gap no_answer", station.told.get(0));
    station.settle();
    assertEquals(1, station.told.size());
  }

  @Test @Config(sdk = {29, 37}) public void theModemIsAskedOnceForAllAndRestsBetween() throws Exception {
    Handset.Sim sim = Handset.insert(0, 1);
    hears(sim, Heard.lte().registered("51010").levels(-97).make());
    sim.answer = Handset.Answer.IS_SILENT;
    RadioReader other = new RadioReader(station.application, station.clock());
    station.ask();
    other.read(reading -> station.told.add(reading));
    station.settle();
    assertEquals(1, Handset.questions);
    Handset.pending.get(0).run();
    station.settle();
    assertEquals(2, station.told.size());
    station.pass(RadioReader.REST_MS - 1);
    holds("ageMs 2399", cell(station.read(), 0, 0));
    assertEquals(1, Handset.questions);
    station.pass(1);
    station.read();
    assertEquals(2, Handset.questions);
  }

  @Test public void noReadingHoldsWhatTheContractDoesNotName() throws Exception {
    hears(Handset.insert(0, 1), Heard.lte().registered("51010").levels(-97, -11, 8, -67).identity(1, 2, 3, 4).make(), Heard.gsm().levels(-80).make());
    JSONObject reading = station.read();
    only(reading, "readAt", "source", "platform", "airplane", "mockLocation", "gap", "slots");
    only(slot(reading, 0), "slot", "dataSim", "plmn", "simPlmn", "cells");
    Set<String> names = new HashSet<>(Arrays.asList(all()));
    names.addAll(Arrays.asList("registered", "secondary", "technology", "ageMs"));
    for (int index = 0; index < 2; index++) only(cell(reading, 0, index), names.toArray(new String[0]));
  }

  private static String[] all() {
    Set<String> names = new HashSet<>(Scales.LEVELS);
    names.addAll(Scales.IDENTITIES);
    return names.toArray(new String[0]);
  }

  private static void only(JSONObject object, String... names) {
    for (Iterator<String> keys = object.keys(); keys.hasNext(); ) assertTrue(object.toString(), Arrays.asList(names).contains(keys.next()));
  }

  /** @param expected as `rsrpDbm -97, rsrqDb null` */
  private static void holds(String expected, JSONObject object) {
    for (String each : expected.split(", ")) assertEquals(each + " in " + object, each, each.split(" ")[0] + " " + object.opt(each.split(" ")[0]));
  }
}
