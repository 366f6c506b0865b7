package kawal.sinyal.sigmon.duty;

import android.content.Context;
import kawal.sinyal.sigmon.Clock;
import kawal.sinyal.sigmon.radio.RadioReader;
import kawal.sinyal.sigmon.radio.RadioSample;
import org.json.JSONException;
import org.json.JSONObject;

/** The phone's own radio. */
final class PhoneRadio implements Radio {
  private final RadioReader reader;

  PhoneRadio(Context context, Clock clock) {
    reader = new RadioReader(context, clock);
  }

  @Override public void read(final Told told) {
    reader.read(new RadioReader.Told() {
      @Override public void read(JSONObject reading) {
        told.read(reading);
      }
    });
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
