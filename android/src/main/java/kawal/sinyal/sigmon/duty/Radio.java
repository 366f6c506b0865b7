package kawal.sinyal.sigmon.duty;

import org.json.JSONObject;

/** What duty asks of the phone's radio. */
interface Radio {
  /** Waits for it, 1.5 s at most. @return a `RadioReading` (spec/radio-bridge.md), or an empty one with its `gap` */
  JSONObject read();

  /** What a sample takes of a reading at this instant: `technology`, `radio`, `sim`, each or null, as in spec/report.md. */
  JSONObject sample(JSONObject reading, long now);
}
