package kawal.sinyal.sigmon.duty;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertTrue;

import java.io.File;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import org.json.JSONArray;
import org.json.JSONObject;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.annotation.Config;

/** The same bytes as contract/compact.ts writes, which contract/compact-vectors.test.ts holds to the same file. */
@RunWith(RobolectricTestRunner.class)
@Config(sdk = {24, 37}, manifest = Config.NONE)
public class CompactTest {
  @Test public void writesWhatTheContractWrites() throws Exception {
    JSONArray vectors = new JSONArray(new String(Files.readAllBytes(new File("../spec/report/compact.json").toPath())));
    assertTrue(vectors.length() >= 20);
    for (int i = 0; i < vectors.length(); i++) {
      JSONObject batch = vectors.getJSONObject(i).getJSONObject("batch");
      List<JSONObject> samples = new ArrayList<>();
      for (int j = 0; j < batch.getJSONArray("samples").length(); j++) samples.add(batch.getJSONArray("samples").getJSONObject(j));
      Long sentAt = batch.has("sentAt") ? (Long) Instants.parse(batch.getString("sentAt")) : null;
      StringBuilder hex = new StringBuilder();
      for (byte each : Compact.batch(batch.getString("station"), sentAt, samples)) hex.append(String.format("%02x", each));
      assertEquals(batch.toString(), vectors.getJSONObject(i).getString("cbor"), hex.toString());
    }
  }

  @Test public void whatIsNoReceiptIsNone() {
    assertEquals(300, Compact.receipt(new byte[] {(byte) 0x84, 1, 0, (byte) 0x80, 0x19, 1, 0x2c}).nextIntervalS);
    for (byte[] each : new byte[][] {{}, {(byte) 0x84}, {(byte) 0x80}, {(byte) 0x9f}, {0x60}, "<html>".getBytes(), {(byte) 0x9b, 127, 127, 127, 127, 127, 127, 127, 127}}) assertNull(Compact.receipt(each));
  }
}
