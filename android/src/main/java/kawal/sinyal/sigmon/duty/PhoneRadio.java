package kawal.sinyal.sigmon.duty;

import android.content.Context;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import kawal.sinyal.sigmon.Clock;
import kawal.sinyal.sigmon.radio.RadioReader;
import kawal.sinyal.sigmon.radio.RadioSample;
import org.json.JSONException;
import org.json.JSONObject;

/** The phone's own radio. */
final class PhoneRadio implements Radio {
  private static final int answer_ms_max = 1_500;
  private final RadioReader reader;

  PhoneRadio(Context context, Clock clock) {
    reader = new RadioReader(context, clock);
  }

  @Override public JSONObject read() {
    final AtomicReference<JSONObject> got = new AtomicReference<>();
    final CountDownLatch told = new CountDownLatch(1);
    reader.read(new RadioReader.Told() {
      @Override public void read(JSONObject reading) {
        got.set(reading);
        told.countDown();
      }
    });
    try {
      told.await(answer_ms_max, TimeUnit.MILLISECONDS);
      return got.get() == null ? new JSONObject().put("gap", "no_answer") : got.get();
    } catch (InterruptedException | JSONException none) {
      return new JSONObject();
    }
  }

  @Override public JSONObject sample(JSONObject reading, long now) {
    try {
      RadioSample sample = RadioSample.of(reading, now);
      return new JSONObject().put("technology", or(sample.technology())).put("radio", or(sample.radio())).put("sim", or(sample.sim()));
    } catch (JSONException none) {
      throw new IllegalStateException(none);
    }
  }

  private static Object or(Object value) {
    return value == null ? JSONObject.NULL : value;
  }
}
