// Makes calls with grpc-java and its default limits, and prints how each ended: see ../python/cases.py.
// Usage: java -cp JARS Cases.java ADDRESS < CASES
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

public final class Cases {
  private static final Metadata.Key<byte[]> DETAILS =
      Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER);

  private static final MethodDescriptor.Marshaller<byte[]> BYTES =
      new MethodDescriptor.Marshaller<>() {
        @Override
        public InputStream stream(byte[] bytes) {
          return new ByteArrayInputStream(bytes);
        }

        @Override
        public byte[] parse(InputStream stream) {
          try {
            return stream.readAllBytes();
          } catch (IOException error) {
            throw new UncheckedIOException(error);
          }
        }
      };

  /** One call, from its requests to its end. */
  private static final class Call extends ClientCall.Listener<byte[]> {
    private final CountDownLatch ended = new CountDownLatch(1);
    private final ManagedChannel channel;
    private final ClientCall<byte[], byte[]> call;
    private final int take;
    private final String then;
    private int count;
    private Status status;
    private byte[] details = {};

    Call(ManagedChannel channel, boolean unary, String method, int take, String then) {
      MethodDescriptor<byte[], byte[]> descriptor =
          MethodDescriptor.newBuilder(BYTES, BYTES)
              .setType(unary ? MethodDescriptor.MethodType.UNARY : MethodDescriptor.MethodType.BIDI_STREAMING)
              .setFullMethodName(method.substring(1))
              .build();
      this.channel = channel;
      this.take = take;
      this.then = then;
      this.call = channel.newCall(descriptor, CallOptions.DEFAULT.withDeadlineAfter(60, TimeUnit.SECONDS));
    }

    Call run(List<byte[]> requests) throws InterruptedException {
      call.start(this, new Metadata());
      call.request(1);
      requests.forEach(call::sendMessage);
      call.halfClose();
      ended.await();
      return this;
    }

    @Override
    public void onMessage(byte[] message) {
      count++;
      if (count == 1 && !then.isEmpty()) {
        // Not on the thread of the channel, which the other call needs.
        String[] parts = then.split("=");
        new Thread(() -> unary(parts[0], bytes(parts[1]))).start();
      }
      if (count == take) {
        call.cancel("enough", null);
      }
      call.request(1);
    }

    private void unary(String method, byte[] request) {
      try {
        new Call(channel, true, method, 0, "").run(List.of(request));
      } catch (InterruptedException error) {
        Thread.currentThread().interrupt();
      }
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      boolean enough = take > 0 && count >= take;
      this.status = enough ? Status.OK : status;
      if (trailers.containsKey(DETAILS)) {
        details = trailers.get(DETAILS);
      }
      ended.countDown();
    }
  }

  private static byte[] bytes(String hex) {
    byte[] bytes = new byte[hex.length() / 2];
    for (int index = 0; index < bytes.length; index++) {
      bytes[index] = (byte) Integer.parseInt(hex.substring(2 * index, 2 * index + 2), 16);
    }
    return bytes;
  }

  private static String hex(byte[] bytes) {
    StringBuilder hex = new StringBuilder();
    for (byte one : bytes) {
      hex.append(String.format("%02x", one));
    }
    return hex.toString();
  }

  public static void main(String[] args) throws Exception {
    ManagedChannel channel = ManagedChannelBuilder.forTarget(args[0]).usePlaintext().build();
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      String[] fields = line.split("\t", -1);
      List<byte[]> requests = new ArrayList<>();
      for (String request : fields[5].split(",")) {
        requests.add(bytes(request));
      }
      int take = Integer.parseInt(fields[3]);
      Call call = new Call(channel, fields[1].equals("unary"), fields[2], take, fields[4]).run(requests);
      System.out.println(
          String.join("\t", fields[0], "" + call.status.getCode().value(), "" + call.count, hex(call.details)));
    }
    channel.shutdownNow();
  }
}
