package kawal.sinyal.sigmon.shell;

import java.util.concurrent.Executor;
import org.json.JSONException;
import org.json.JSONObject;

/** The shell's end of spec/shell.md: texts of JSON in, answers and what is told out. One for each load of the page. */
final class Port {
  /** What becomes of an ask, once, on any thread. */
  interface Answer {
    void is(JSONObject answer);

    /** @param sentence what is wrong, for the page's log */
    void fault(String sentence);
  }

  /** Who answers. What it throws is a fault: an IllegalArgumentException says why in its message. */
  interface Asks {
    /** @return false where the word is not known */
    boolean ask(String what, JSONObject given, Answer answer) throws Exception;
  }

  /** Where texts for the page go; on any thread. */
  interface Page {
    void post(String text);
  }

  private final Asks asks;
  private final Executor background;
  private final Page page;

  Port(Asks asks, Executor background, Page page) {
    this.asks = asks;
    this.background = background;
    this.page = page;
  }

  /** A text of the page. Without an id there is nobody to answer: it is left out. */
  void take(String text) {
    try {
      final JSONObject asked = new JSONObject(text);
      final long id = asked.getLong("id");
      background.execute(new Runnable() {
        @Override public void run() {
          answer(id, asked);
        }
      });
    } catch (JSONException noAsk) {
      // The page is ours alone; a form that it does not have is of a newer one.
    }
  }

  /** A state has changed. */
  void tell(String what, JSONObject is) {
    post("told", what, is);
  }

  private void answer(long id, JSONObject asked) {
    Once answer = new Once(id);
    String what = asked.optString("ask");
    JSONObject given = asked.optJSONObject("with");
    try {
      if (!asks.ask(what, given == null ? new JSONObject() : given, answer)) answer.fault("This shell does not know the ask " + what + ".");
    } catch (IllegalArgumentException | JSONException error) {
      answer.fault(error.getMessage());
    } catch (Exception error) {
      answer.fault("The shell failed at " + what + ": " + error);
    }
  }

  private void post(String key, Object name, JSONObject is) {
    try {
      page.post(new JSONObject().put(key, name).put("is", is).toString());
    } catch (JSONException error) {
      throw new IllegalStateException(error);
    }
  }

  private final class Once implements Answer {
    private final long id;
    private boolean isGiven;

    Once(long id) {
      this.id = id;
    }

    @Override public void is(JSONObject answer) {
      if (isFirst()) post("id", id, answer);
    }

    @Override public void fault(String sentence) {
      try {
        if (isFirst()) page.post(new JSONObject().put("id", id).put("fault", String.valueOf(sentence)).toString());
      } catch (JSONException error) {
        throw new IllegalStateException(error);
      }
    }

    private synchronized boolean isFirst() {
      boolean isFirst = !isGiven;
      isGiven = true;
      return isFirst;
    }
  }
}
