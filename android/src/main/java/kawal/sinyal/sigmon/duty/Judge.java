package kawal.sinyal.sigmon.duty;

import java.util.Arrays;
import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;

/** Whether a sample says good or bad of the network: core/measurement/judge.ts. */
final class Judge {
  private static final double rtt_ms_bad = 1_000;
  private static final double loss_share_bad = 0.25;

  private Judge() {}

  /** @return `good`, `bad` or `unknown` */
  static String quality(JSONObject sample) throws JSONException {
    JSONObject reach = sample.getJSONObject("reach");
    Boolean internet = reached(reach.getString("internet"));
    Boolean platform = reached(reach.getString("platform"));
    JSONArray rtts = sample.getJSONArray("rttMs");
    int timeouts = sample.getInt("timeouts");
    int probes = rtts.length() + timeouts;
    boolean isLossy = probes > 0 && (double) timeouts / probes > loss_share_bad;
    boolean isUnreached = Boolean.FALSE.equals(internet) || (internet == null && Boolean.FALSE.equals(platform));
    if (isSlow(rtts) || isLossy || isUnreached || sample.getString("access").equals("none")) return "bad";
    return probes > 0 || internet != null || platform != null || reached(reach.getString("election")) != null ? "good" : "unknown";
  }

  private static boolean isSlow(JSONArray rtts) throws JSONException {
    double[] sorted = new double[rtts.length()];
    for (int i = 0; i < sorted.length; i++) sorted[i] = rtts.getDouble(i);
    Arrays.sort(sorted);
    return sorted.length > 0 && sorted[sorted.length / 2] > rtt_ms_bad;
  }

  private static Boolean reached(String word) {
    return word.equals("untested") || word.equals("wrong_clock") ? null : (Boolean) word.equals("ok");
  }
}
