package kawal.sinyal.sigmon.shell;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import org.json.JSONObject;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.annotation.Config;

@RunWith(RobolectricTestRunner.class)
@Config(sdk = 37, manifest = Config.NONE)
public class PortTest {
  private final List<String> posted = new ArrayList<>();
  private final Executor atOnce = Runnable::run;
  private Port.Answer kept;
  private final Port port = new Port((what, given, answer) -> {
    if ("echo".equals(what)) answer.is(new JSONObject().put("had", given));
    else if ("bad".equals(what)) throw new IllegalArgumentException("The order names no station.");
    else if ("bug".equals(what)) throw new NullPointerException("x");
    else if ("later".equals(what)) kept = answer;
    else return false;
    return true;
  }, atOnce, posted::add);

  @Test public void anAskIsAnsweredUnderItsNumber() {
    port.take("{\"id\":7,\"ask\":\"echo\",\"with\":{\"a\":1}}");
    port.take("{\"id\":8,\"ask\":\"echo\"}");
    assertEquals("{\"id\":7,\"is\":{\"had\":{\"a\":1}}}", posted.get(0));
    assertEquals("{\"id\":8,\"is\":{\"had\":{}}}", posted.get(1));
  }

  @Test public void whatCannotBeDoneIsAFaultWithASentence() {
    port.take("{\"id\":1,\"ask\":\"bad\"}");
    port.take("{\"id\":2,\"ask\":\"bug\"}");
    port.take("{\"id\":3,\"ask\":\"fly\"}");
    assertEquals("{\"id\":1,\"fault\":\"The order names no station.\"}", posted.get(0));
    assertTrue(posted.get(1), posted.get(1).contains("The shell failed at bug: java.lang.NullPointerException"));
    assertEquals("{\"id\":3,\"fault\":\"This shell does not know the ask fly.\"}", posted.get(2));
  }

  @Test public void anAnswerIsGivenOnce() throws Exception {
    port.take("{\"id\":1,\"ask\":\"later\"}");
    kept.is(new JSONObject());
    kept.fault("too late");
    kept.is(new JSONObject());
    assertEquals("[{\"id\":1,\"is\":{}}]", posted.toString());
  }

  @Test public void whatIsNoAskIsLeftOutAndWhatChangesIsTold() throws Exception {
    for (String text : new String[] {"", "kawal", "[]", "{}", "{\"id\":\"x\",\"ask\":\"echo\"}", "{\"ask\":\"echo\"}"}) port.take(text);
    port.tell("duty", new JSONObject().put("on", true));
    assertEquals("[{\"told\":\"duty\",\"is\":{\"on\":true}}]", posted.toString());
  }
}
