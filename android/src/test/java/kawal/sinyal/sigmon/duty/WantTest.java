package kawal.sinyal.sigmon.duty;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertTrue;

import android.content.Context;
import android.database.sqlite.SQLiteDatabase;
import android.os.PowerManager;
import java.util.List;
import org.json.JSONObject;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.Shadows;
import org.robolectric.annotation.Config;

/** Duty where something lacks: room on the disk, charge, a network, a right clock, a server that reads what it is sent. */
@RunWith(RobolectricTestRunner.class)
@Config(sdk = 33, manifest = Config.NONE)
public class WantTest {
  private static final int hour = 3_600_000;
  private World world;

  @Before public void open() throws Exception {
    world = new World(9);
  }

  @After public void close() {
    world.close();
  }

  private JSONObject counts() throws Exception {
    return world.duty.state().getJSONObject("counts");
  }

  private List<?> last() {
    return world.platform.kept.lastEntry().getValue();
  }

  private JSONObject newest() throws Exception {
    return world.duty.state().getJSONArray("newest").getJSONObject(0).getJSONObject("sample");
  }

  /** Where not even a journal has room, nothing at all can be written. */
  private void room(boolean is) {
    world.store.getWritableDatabase().execSQL("PRAGMA query_only = " + (is ? 0 : 1));
  }

  @Test public void onAFullDiskSamplesWaitInMemoryAndAreWrittenWhenThereIsRoom() throws Exception {
    world.platform.status = 503;
    world.start();
    world.live(hour);
    room(false);
    world.live(hour);
    assertEquals(true, world.duty.state().getBoolean("full"));
    assertTrue(new Words("en").text(world.duty.standing(), true, false).contains("storage is full"));
    room(true);
    world.platform.status = 202;
    world.live(hour);
    assertEquals(false, world.duty.state().getBoolean("full"));
    assertEquals(0, counts().getInt("waiting"));
    assertEquals(0, world.platform.doubles);
    assertTrue("what waited in memory came: " + world.platform.kept.size(), world.platform.kept.size() > 20);
    long number = 10_401;
    for (List<?> row : world.platform.kept.values()) assertTrue("numbers go up", (Long) row.get(0) >= number++);
  }

  @Test public void whereTheFileMayNotGrowOlderReportsMakeRoomForNewer() throws Exception {
    world.platform.status = 503;
    world.start();
    world.live(2 * hour);
    SQLiteDatabase database = world.store.getWritableDatabase();
    database.setMaximumSize(database.getPageSize());
    world.live(2 * hour);
    long made = counts().getInt("made");
    assertTrue("thinned", counts().getInt("waiting") < made);
    assertEquals("the newest is there", world.duty.standing().next - 1, newest().getLong("sequence"));
    int waiting = counts().getInt("waiting");
    world.platform.status = 202;
    world.duty.turn(true);
    assertEquals("what waits is not thinned for a receipt", waiting, world.platform.kept.size());
  }

  @Test public void endedOnAFullDiskTheGoodbyeIsSentWhenThereIsRoom() throws Exception {
    world.start();
    world.live(hour);
    room(false);
    world.duty.stop();
    world.duty.turn(false);
    assertTrue("it looks again", world.duty.wake_ms() > 0 && world.duty.wake_ms() <= hour / 4);
    room(true);
    world.live(hour);
    assertNull("a goodbye", last().get(13));
    assertEquals(-1, world.duty.wake_ms());
  }

  @Test public void aReceiptThatCannotBeWrittenIsAskedForAgain() throws Exception {
    world.start();
    world.live(hour / 2);
    world.store.getWritableDatabase().execSQL("CREATE TRIGGER full BEFORE UPDATE ON sample BEGIN SELECT raise(ABORT, 'planted'); END");
    world.live(hour / 2);
    int kept = world.platform.kept.size();
    assertTrue("they came", kept > 7);
    assertTrue("and wait", counts().getInt("waiting") > 3);
    world.store.getWritableDatabase().execSQL("DROP TRIGGER full");
    world.live(hour / 2);
    assertEquals(0, counts().getInt("waiting"));
    assertEquals(0, world.platform.doubles);
  }

  @Test public void theBatterySaverHalvesThePace() throws Exception {
    Shadows.shadowOf((PowerManager) world.app.getSystemService(Context.POWER_SERVICE)).setIsPowerSaveMode(true);
    world.start();
    world.live(4 * hour);
    int kept = world.platform.kept.size();
    assertTrue("half: " + kept, kept >= 20 && kept <= 30);
  }

  @Test public void belowTenPercentItReportsAQuarterAsOftenAndPromisesAsMuch() throws Exception {
    world.battery(9, false);
    world.start();
    world.live(hour);
    long ahead_ms = (Long) last().get(13);
    assertTrue("promised: " + ahead_ms, ahead_ms >= 4 * 240_000 && ahead_ms <= 4 * 360_000);
  }

  @Test public void pluggedInItGoesOnBeforeItWouldHaveLooked() throws Exception {
    world.start();
    world.live(hour);
    world.battery(4, false);
    world.live(hour / 4);
    assertEquals("battery", world.held());
    int kept = world.platform.kept.size();
    world.duty.charging();
    world.battery(4, true);
    assertTrue(world.duty.wake_ms() <= 300_000);
    world.live(300_000);
    assertNull(world.held());
    assertEquals(kept + 1, world.platform.kept.size());
    long due = world.duty.wake_ms();
    world.duty.charging();
    assertEquals("else nothing changes", due, world.duty.wake_ms());
  }

  @Test public void aSampleThatTheServerCannotReadIsFoundByHalvesAndTheOthersCome() throws Exception {
    world.platform.status = 503;
    world.start();
    world.live(hour);
    world.platform.status = 202;
    world.platform.unreadable = 10_404L;
    world.live(hour);
    assertEquals(0, counts().getInt("waiting"));
    assertEquals(1, counts().getInt("refused"));
    assertEquals(counts().getInt("made") - 1, world.platform.kept.size());
    assertTrue(world.duty.state().getJSONArray("newest").toString().contains("told why"));
  }

  @Test public void aServerThatReadsNoCborIsSentJson() throws Exception {
    world.platform.readsCbor = false;
    world.start();
    world.live(hour);
    assertEquals(0, counts().getInt("waiting"));
    assertEquals(counts().getInt("made"), world.platform.kept.size());
    assertTrue("one was tried, and each is sent once", world.platform.posts == world.platform.kept.size() + 1);
  }

  @Test public void eachTwelfthReportReachesForTheTargets() throws Exception {
    JSONObject order = world.order();
    order.getJSONObject("config").put("targets", new JSONObject().put("internet", world.origin + "/there").put("election", world.origin + "/sick"));
    world.platform.sick = "/sick";
    world.duty.start(new Order(order));
    world.live(hour);
    int reports = world.platform.kept.size();
    assertEquals(2 * ((reports + 11) / 12), world.platform.heads);
    int at = 0;
    // internet, election, platform: `ok` 0, `http_error` 4, `untested` 6.
    for (List<?> row : world.platform.kept.values()) assertEquals("row " + at, at++ % 12 == 0 ? 40L : 660L, row.get(11));
  }

  @Test public void withoutANetworkItIsOfflineAndNotSilent() throws Exception {
    world.start();
    world.live(hour / 2);
    world.online(false);
    String origin = world.origin;
    world.origin = "http://127.0.0.1:1";
    world.kill();
    world.live(hour / 2);
    assertEquals("offline", newest().getJSONObject("reach").getString("platform"));
    assertEquals("none", newest().getString("access"));
    world.online(true);
    world.live(hour / 4);
    assertEquals("timeout", newest().getJSONObject("reach").getString("platform"));
    world.origin = origin;
    world.kill();
    world.live(hour);
    assertEquals(0, counts().getInt("waiting"));
    assertEquals(counts().getInt("made"), world.platform.kept.size());
  }

  @Test public void aWrongClockIsToldOverTlsWhereItIsWhyItFails() throws Exception {
    world.origin = "https://127.0.0.1:1";
    world.kill();
    world.clock.now = 1_700_000_000_000L;
    world.start();
    world.live(hour / 4);
    assertEquals("wrong_clock", newest().getJSONObject("reach").getString("platform"));
  }

  @Test public void aBlockIsUsedToItsLastNumberAndNoFurther() throws Exception {
    world.duty.start(new Order(world.order().put("sequence", new JSONObject().put("from", 5).put("to", 9))));
    world.live(3 * hour);
    assertEquals("block", world.held());
    long number = 5;
    for (List<?> row : world.platform.kept.values()) {
      assertEquals(number, row.get(0));
      assertEquals("promises, but for the goodbye", number < 9, row.get(13) != null);
      assertEquals("and measures, but for it", number < 9, !((List<?>) row.get(7)).isEmpty());
      number++;
    }
    assertEquals(10, number);
    world.duty.start(new Order(world.order().put("sequence", new JSONObject().put("from", 100).put("to", 200))));
    world.live(hour);
    assertEquals(counts().getInt("made"), world.platform.kept.size());
    assertEquals(100L, world.platform.kept.ceilingEntry("Bearer " + world.order().getString("token") + String.format(" %010d", 10)).getValue().get(0));
  }

  @Test public void whatTheBudgetHeldBackAtTheEndGoesTheNextDay() throws Exception {
    world.duty.start(new Order(world.order().put("budget", new JSONObject().put("dailyBytes", 300_000).put("spentBytes", 299_000).put("metered", true))));
    world.live(3 * hour);
    assertEquals("budget", world.held());
    world.duty.stop();
    world.live(hour);
    assertFalse(world.duty.isOn());
    assertTrue("they wait", counts().getInt("waiting") > 3);
    world.live(24 * hour);
    assertEquals(0, counts().getInt("waiting"));
    assertEquals(counts().getInt("made"), world.platform.kept.size());
  }
}
