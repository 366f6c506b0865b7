package kawal.sinyal.sigmon.duty;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertTrue;

import java.util.List;
import org.json.JSONObject;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.annotation.Config;

@RunWith(RobolectricTestRunner.class)
@Config(sdk = 33, manifest = Config.NONE)
public class EngineTest {
  private static final long hour = 3_600_000;
  private World world;

  @Before public void open() throws Exception {
    world = new World(7);
  }

  @After public void close() {
    world.close();
  }

  private List<?> last() {
    return world.platform.kept.lastEntry().getValue();
  }

  @Test public void reportsEachIntervalAndEndsWithAGoodbye() throws Exception {
    world.start();
    world.live(2 * hour);
    int reports = world.platform.kept.size();
    assertTrue("reports: " + reports, reports >= 20 && reports <= 30);
    assertEquals(reports, world.wakes);
    assertEquals("each row promises", true, last().get(13) != null);
    assertEquals(3, ((List<?>) last().get(7)).size());
    world.duty.stop();
    world.duty.turn(false);
    assertNull("a goodbye", last().get(13));
    assertEquals(-1, world.duty.wake_ms());
    JSONObject counts = world.duty.state().getJSONObject("counts");
    assertEquals(reports + 1, counts.getInt("sent"));
    assertEquals(0, counts.getInt("waiting"));
  }

  @Test public void endsByItselfAfter18Hours() throws Exception {
    world.start();
    world.live(20 * hour);
    assertEquals(false, world.duty.isOn());
    assertNull(last().get(13));
  }

  @Test public void offlineForHoursLosesAndDoublesNothing() throws Exception {
    world.start();
    world.live(hour);
    world.platform.status = 503;
    world.live(hour);
    world.platform.status = 202;
    world.platform.losesReceipts = true;
    world.live(hour);
    world.kill();
    world.platform.losesReceipts = false;
    world.live(hour);
    JSONObject counts = world.duty.state().getJSONObject("counts");
    assertEquals(counts.getInt("made"), world.platform.kept.size());
    assertEquals(counts.getInt("made"), counts.getInt("sent"));
    assertEquals(0, world.platform.doubles);
  }

  @Test public void anAnswerThatIsNoReceiptTakesNothingFromTheQueue() throws Exception {
    world.platform.answersNonsense = true;
    world.start();
    world.live(hour);
    assertEquals(0, world.duty.state().getJSONObject("counts").getInt("sent"));
    world.platform.answersNonsense = false;
    world.live(hour);
    assertEquals(world.duty.state().getJSONObject("counts").getInt("made"), world.platform.kept.size());
  }

  @Test public void retryAfterIsKept() throws Exception {
    world.start();
    world.platform.status = 429;
    world.platform.retryAfter = "1800";
    world.live(10 * 60_000);
    int posts = world.platform.posts;
    assertEquals(1, posts);
    world.duty.turn(true);
    assertEquals(posts, world.platform.posts);
    world.platform.status = 202;
    world.live(hour);
    assertTrue(world.platform.kept.size() > 8);
  }

  @Test public void aRefusedTokenHoldsUntilANewOrder() throws Exception {
    world.platform.status = 401;
    world.start();
    world.live(hour);
    assertEquals("token", world.held());
    assertEquals(1, world.platform.posts);
    world.platform.status = 202;
    world.duty.start(new Order(world.order().put("token", "another").put("sequence", new JSONObject().put("from", 30_000).put("to", 40_000))));
    assertNull(world.held());
    world.live(hour);
    assertEquals(world.duty.state().getJSONObject("counts").getInt("made"), world.platform.kept.size());
  }

  @Test public void whatIsQuarantinedIsRefusedWithItsReason() throws Exception {
    world.platform.quarantines = "10402";
    world.start();
    world.live(hour);
    JSONObject counts = world.duty.state().getJSONObject("counts");
    assertEquals(1, counts.getInt("refused"));
    assertTrue(world.duty.state().getJSONArray("newest").toString().contains("sample_invalid: planted"));
  }

  @Test public void theBatteryStretchesThePaceThenSaysGoodbye() throws Exception {
    world.battery(15, false);
    world.start();
    world.live(2 * hour);
    int slow = world.platform.kept.size();
    assertTrue("twice: " + slow, slow >= 9 && slow <= 15);
    world.battery(4, false);
    world.live(hour);
    assertEquals("battery", world.held());
    assertNull("a goodbye", last().get(13));
    assertTrue(world.platform.kept.size() <= slow + 1);
    world.battery(9, false);
    world.live(hour);
    assertEquals("battery", world.held());
    world.battery(9, true);
    world.live(hour);
    assertNull(world.held());
    assertTrue(world.platform.kept.size() > slow + 5);
  }

  @Test public void pastTheBudgetNothingIsProbedAndTheNextDaySendsIt() throws Exception {
    world.duty.start(new Order(world.order().put("budget", new JSONObject().put("dailyBytes", 300_000).put("spentBytes", 250_000).put("metered", true))));
    world.live(6 * hour);
    assertEquals("budget", world.held());
    int pings = world.platform.pings;
    int kept = world.platform.kept.size();
    world.live(hour);
    assertEquals(pings, world.platform.pings);
    assertEquals(kept, world.platform.kept.size());
    assertTrue(world.duty.state().getJSONObject("counts").getInt("waiting") > 5);
    world.live(10 * hour);
    assertTrue("the next day", world.platform.kept.size() > kept + 20);
  }

  @Test public void aBlockThatIsUsedUpEndsInAGoodbye() throws Exception {
    world.duty.start(new Order(world.order().put("sequence", new JSONObject().put("from", 1).put("to", 3))));
    world.live(hour);
    assertEquals("block", world.held());
    assertEquals(3, world.platform.kept.size() + (world.platform.kept.size() == 2 ? 1 : 0));
    assertNull(last().get(13));
  }

  @Test public void aPortalIsToldAndAskedOnce() throws Exception {
    world.platform.ping = "portal";
    world.start();
    world.live(hour / 6);
    assertTrue(world.duty.state().getJSONArray("newest").toString().contains("\"platform\":\"portal\""));
  }

  @Test public void aKillAtAnyPointTakesNothing() throws Exception {
    world.start();
    for (int i = 0; i < 30; i++) {
      world.live(10 * 60_000);
      world.kill();
    }
    assertEquals(world.duty.state().getJSONObject("counts").getInt("made"), world.platform.kept.size());
    assertTrue(world.platform.kept.size() > 50);
  }

  @Test public void aLateWakeMakesTheNextPromiseAllowForIt() throws Exception {
    world.start();
    world.live(hour);
    world.pass(world.duty.wake_ms() + 8 * 60_000);
    world.duty.turn(false);
    assertTrue((Long) last().get(13) > 8 * 60_000 + 200_000);
  }

  @Test public void aGapOfTheRadioIsSaid() throws Exception {
    world.reading.put("gap", "permission");
    world.start();
    world.live(hour);
    assertEquals("permission", world.duty.state().getString("gap"));
    assertNull(last().get(6));
  }
}
