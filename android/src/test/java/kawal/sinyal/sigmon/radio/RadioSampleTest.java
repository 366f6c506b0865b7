package kawal.sinyal.sigmon.radio;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.time.Instant;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.json.JSONObject;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.annotation.Config;

@RunWith(RobolectricTestRunner.class)
@Config(sdk = {24, 37}, manifest = Config.NONE)
public class RadioSampleTest {
  @Test public void everyExampleOfTheBridgeGivesTheSampleThatIsWrittenThere() throws Exception {
    List<Path> examples;
    try (Stream<Path> files = Files.walk(Paths.get("../spec/radio-bridge"))) {
      examples = files.filter(file -> file.toString().endsWith(".json")).sorted().collect(Collectors.toList());
    }
    assertTrue("there are examples", examples.size() >= 30);
    for (Path file : examples) {
      JSONObject example = new JSONObject(new String(Files.readAllBytes(file), "UTF-8"));
      Object given = example.get("given");
      JSONObject reading = given instanceof String ? new JSONObject((String) given) : (JSONObject) given;
      RadioSample sample = RadioSample.of(reading, Instant.parse(example.getString("now")).toEpochMilli());
      assertEquals(file.toString(), Json.text(example.get("sample")), Json.text(Json.sample(sample)));
    }
  }

  @Test public void whatIsNoReadingGivesNothingAndDoesNotThrow() throws Exception {
    for (String odd : new String[] {"{}", "{\"source\": 7}", "{\"source\": \"android\", \"readAt\": \"yesterday\"}", "{\"source\": \"android\", \"readAt\": \"2029-02-14T01:55:12Z\", \"slots\": 5}",
      "{\"source\": \"android\", \"readAt\": \"2029-02-14T01:55:12Z\", \"slots\": [null, 3, {\"dataSim\": true, \"cells\": [null, {\"technology\": \"cdma\"}, {\"technology\": \"lte\", \"registered\": true, \"ageMs\": -4}]}]}"}) {
      RadioSample sample = RadioSample.of(new JSONObject(odd), 0);
      assertNull(odd, sample.radio());
      assertNull(odd, sample.technology());
    }
  }

  @Test public void anInstantMayHaveAnyZoneAndAnyFraction() throws Exception {
    for (String at : new String[] {"2029-02-14T01:55:12Z", "2029-02-14T08:55:12.000+07:00", "2029-02-13T20:25:12.000000001-05:30"}) {
      JSONObject cell = new JSONObject("{\"technology\": \"lte\", \"registered\": true, \"ageMs\": 300, \"rsrpDbm\": -97}");
      JSONObject reading = new JSONObject().put("source", "android").put("readAt", at).put("slots", new org.json.JSONArray().put(new JSONObject().put("cells", new org.json.JSONArray().put(cell))));
      assertEquals(at, 1_300, RadioSample.of(reading, Instant.parse("2029-02-14T01:55:13.000Z").toEpochMilli()).radio().getInt("ageMs"));
    }
  }
}
