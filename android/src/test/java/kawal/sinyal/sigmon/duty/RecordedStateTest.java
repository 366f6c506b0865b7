package kawal.sinyal.sigmon.duty;

import static org.junit.Assert.assertEquals;

import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import org.json.JSONArray;
import org.json.JSONObject;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.annotation.Config;

/** States of a real duty, kept as examples in spec/shell, which the contract's own tests read too. `-Drecord=true` writes them anew. */
@RunWith(RobolectricTestRunner.class)
@Config(sdk = 33, manifest = Config.NONE)
public class RecordedStateTest {
  private static final int hour = 3_600_000;

  @Test public void onDuty() throws Exception {
    try (World world = new World(11)) {
      world.start();
      world.live(hour);
      hold("duty-android-on", "An hour of a real duty in the shell.", world);
    }
  }

  @Test public void heldWithReportsThatWait() throws Exception {
    try (World world = new World(12)) {
      world.start();
      world.live(hour);
      world.platform.status = 503;
      world.live(hour / 4);
      world.battery(4, false);
      world.live(hour / 4);
      hold("duty-android-held", "The platform is away and the battery nearly empty: reports wait, with a goodbye among them.", world);
    }
  }

  @Test public void offDuty() throws Exception {
    try (World world = new World(13)) {
      hold("duty-android-off", "Before the first duty.", world);
    }
  }

  private static void hold(String name, String about, World world) throws Exception {
    JSONObject state = new JSONObject(world.duty.state().toString());
    // What a real network and its clock make differs each time.
    if (state.getLong("bytesToday") > 0) state.put("bytesToday", 12_000);
    JSONArray newest = state.getJSONArray("newest");
    for (int index = 0; index < newest.length(); index++) {
      JSONObject row = newest.getJSONObject(index);
      JSONObject sample = row.getJSONObject("sample");
      if (sample.getJSONArray("rttMs").length() > 0) sample.put("rttMs", new JSONArray().put(61.5));
      if (!row.isNull("sentAt")) row.put("sentAt", Instants.parse(sample.getString("eventAt")) + 400);
    }
    String text = new JSONObject().put("about", about).put("schema", "DutyState").put("given", state).toString(2) + "\n";
    File file = new File("../spec/shell/" + name + ".json");
    if (Boolean.getBoolean("record")) Files.write(file.toPath(), text.getBytes(StandardCharsets.UTF_8));
    assertEquals(new String(Files.readAllBytes(file.toPath()), StandardCharsets.UTF_8), text);
  }
}
