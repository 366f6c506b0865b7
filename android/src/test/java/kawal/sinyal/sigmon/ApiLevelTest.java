package kawal.sinyal.sigmon;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.ObjectInputStream;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.codehaus.mojo.animal_sniffer.Clazz;
import org.junit.BeforeClass;
import org.junit.Test;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.FieldVisitor;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;

/**
 * The shell is compiled against the newest Android and runs from 7.0 on. Each member that it uses is held against the public
 * interface of Android 7.0 (and 8.0: lists of signatures), or, in a class whose name says a level (`Api29`), against that
 * level's: the nearest one from there on of which the whole platform is at hand.
 */
public class ApiLevelTest {
  private static final Map<String, Integer> LEVELS = new HashMap<>();
  private static final TreeMap<Integer, Platform> PLATFORMS = new TreeMap<>();

  /** Of Java's own library from 27 on there is no list: what is used of it, and since which level by Android's documentation. */
  private static final Map<String, Integer> JAVA = new HashMap<>();

  static {
    JAVA.put("javax/net/ssl/SSLParameters setApplicationProtocols([Ljava/lang/String;)V", 29);
    JAVA.put("javax/net/ssl/SSLParameters getApplicationProtocols()[Ljava/lang/String;", 29);
    JAVA.put("javax/net/ssl/SSLSocket getApplicationProtocol()Ljava/lang/String;", 29);
    String[] versions = {"7.0.0", "24", "8.0.0", "26", "9", "28", "10", "29", "11", "30", "12", "31", "13", "33", "14", "34", "17", "37"};
    for (int index = 0; index < versions.length; index += 2) LEVELS.put(versions[index], Integer.parseInt(versions[index + 1]));
  }

  @BeforeClass public static void readPlatforms() throws Exception {
    for (File file : new File("build/android-versions").listFiles()) {
      Matcher jar = Pattern.compile("android-all.*?-([0-9.]+)[_-].*\\.jar").matcher(file.getName());
      Matcher list = Pattern.compile("android-api-level-([0-9]+)-.*\\.signature").matcher(file.getName());
      if (jar.matches() && LEVELS.containsKey(jar.group(1))) PLATFORMS.putIfAbsent(LEVELS.get(jar.group(1)), new Jar(file));
      if (list.matches()) PLATFORMS.put(Integer.parseInt(list.group(1)), new Signatures(file));
    }
    assertTrue(PLATFORMS.keySet().toString(), PLATFORMS.keySet().containsAll(Arrays.asList(24, 26, 29, 33, 37)));
  }

  @Test public void whatTheShellUsesIsThereOnEveryAndroidThatItRunsOn() throws Exception {
    List<Compiled> classes = Compiled.shell();
    assertTrue("there are classes", classes.size() > 10);
    List<String> missing = new ArrayList<>();
    for (Compiled each : classes) missing.addAll(missing(each));
    assertEquals(Collections.emptyList(), missing);
  }

  @Test public void nothingNeedsInvokedynamicWhichAndroid7Lacks() throws Exception {
    for (Compiled each : Compiled.shell()) assertTrue(each.name, !each.hasInvokeDynamic);
    assertTrue("a lambda is found", Compiled.of(Lambda.class).hasInvokeDynamic);
  }

  @Test public void whatIsTooNewIsFound() throws Exception {
    List<String> missing = missing(Compiled.of(TooNew.class));
    assertEquals(missing.toString(), 3, missing.size());
    assertEquals(Collections.emptyList(), missing(Compiled.of(TooNewApi37.class)));
    assertEquals(1, missing(Compiled.of(StillTooNewApi26.class)).size());
  }

  static final class TooNew {
    static Object[] plant(android.telephony.TelephonyManager phone) {
      // of API 30, of 26, and hidden
      return new Object[] {phone.getActiveModemCount(), java.time.Instant.now(), phone.isDataCapable()};
    }
  }

  static final class TooNewApi37 {
    static Object plant(android.telephony.TelephonyManager phone) {
      return phone.getActiveModemCount();
    }
  }

  static final class StillTooNewApi26 {
    static Object plant(android.telephony.TelephonyManager phone) {
      return phone.getActiveModemCount();
    }
  }

  static final class Lambda {
    static Runnable plant() {
      return () -> { };
    }
  }

  private static List<String> missing(Compiled compiled) throws IOException {
    Matcher told = Pattern.compile(".*Api([0-9]{2})").matcher(compiled.name);
    int level = told.lookingAt() ? Integer.parseInt(told.group(1)) : 24;
    List<String> missing = new ArrayList<>();
    for (String type : compiled.types) if (isPlatform(type) && platform(type, level).members(type) == null) missing.add(compiled.name + ": " + type);
    for (String method : compiled.methods) check(compiled, method, level, missing);
    for (String field : compiled.fields) check(compiled, field, level, missing);
    return missing;
  }

  private static void check(Compiled compiled, String reference, int level, List<String> missing) throws IOException {
    String owner = reference.substring(0, reference.indexOf(' '));
    if (JAVA.containsKey(reference) && level >= JAVA.get(reference)) return;
    if (isPlatform(owner) && !platform(owner, level).has(owner, reference.substring(owner.length() + 1))) missing.add(compiled.name + ": " + reference);
  }

  /** Robolectric's platforms lack Java's own library: there the list of the newest signatures below holds. */
  private static Platform platform(String type, int level) {
    Platform nearest = PLATFORMS.ceilingEntry(Math.min(level, PLATFORMS.lastKey())).getValue();
    return !type.startsWith("java") || nearest instanceof Signatures ? nearest : PLATFORMS.get(26);
  }

  private static boolean isPlatform(String type) {
    return type.matches("(android|java|javax|dalvik|org/json|org/xml|org/w3c|libcore|com/android|sun)/.*");
  }

  /** The classes of one version of Android. */
  abstract static class Platform {
    private final Map<String, Members> known = new HashMap<>();

    static final class Members {
      final Set<String> own = new HashSet<>();
      final List<String> parents = new ArrayList<>();
    }

    abstract Members read(String type) throws IOException;

    Members members(String type) throws IOException {
      if (!known.containsKey(type)) known.put(type, read(type));
      return known.get(type);
    }

    boolean has(String type, String member) throws IOException {
      Members members = members(type);
      if (members == null) return false;
      if (members.own.contains(member)) return true;
      // an interface has what every object has
      for (String parent : members.parents) if (parent != null && (parent.startsWith("java/") ? platform(parent, 26).has(parent, member) : has(parent, member))) return true;
      return false;
    }
  }

  private static final class Jar extends Platform {
    private final ZipFile jar;

    Jar(File file) throws IOException {
      jar = new ZipFile(file);
    }

    @Override Members read(String type) throws IOException {
      ZipEntry entry = jar.getEntry(type + ".class");
      if (entry == null) return null;
      final Members members = new Members();
      ClassVisitor visitor = new ClassVisitor(Opcodes.ASM9) {
        @Override public void visit(int version, int access, String own, String signature, String parent, String[] interfaces) {
          members.parents.add(parent);
          members.parents.addAll(Arrays.asList(interfaces));
        }

        @Override public FieldVisitor visitField(int access, String field, String descriptor, String signature, Object value) {
          members.own.add(field + '#' + descriptor);
          return null;
        }

        @Override public MethodVisitor visitMethod(int access, String method, String descriptor, String signature, String[] exceptions) {
          members.own.add(method + descriptor);
          return null;
        }
      };
      try (InputStream bytes = jar.getInputStream(entry)) {
        new ClassReader(bytes).accept(visitor, ClassReader.SKIP_CODE);
      }
      return members;
    }
  }

  private static final class Signatures extends Platform {
    private final Map<String, Clazz> classes = new HashMap<>();

    Signatures(File file) throws Exception {
      try (ObjectInputStream told = new ObjectInputStream(new GZIPInputStream(Files.newInputStream(file.toPath())))) {
        for (Clazz each = (Clazz) told.readObject(); each != null; each = (Clazz) told.readObject()) classes.put(each.getName(), each);
      }
    }

    @Override Members read(String type) {
      Clazz told = classes.get(type);
      if (told == null) return null;
      Members members = new Members();
      members.own.addAll(told.getSignatures());
      members.parents.add(told.getSuperClass());
      if (told.getSuperInterfaces() != null) members.parents.addAll(Arrays.asList(told.getSuperInterfaces()));
      return members;
    }
  }
}
