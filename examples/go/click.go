// A like, and the list that answers it:  go run . [USER [ITEM]]
// UPWELL_KAFKA: the broker's address, which `upwell run` shows. UPWELL_PREFIX: of the topics.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

type reason struct{ Signal, Because string }

type list struct {
	Trigger string
	Items   []struct {
		Title   string
		Reasons []reason
	}
}

func main() {
	words := append(os.Args[1:], "", "")
	user, item := cmp.Or(words[0], "ann"), cmp.Or(words[1], "1")
	prefix := cmp.Or(os.Getenv("UPWELL_PREFIX"), "upwell.")
	brokers := kgo.SeedBrokers(strings.Split(cmp.Or(os.Getenv("UPWELL_KAFKA"), "127.0.0.1:9092"), ",")...)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()

	// Keys are partitioned as Java does it (murmur2), where Upwell expects them: franz-go's default.
	producer := must(kgo.NewClient(brokers))
	defer producer.Close()
	// The ends of the topic before the like is sent: its list comes behind them, and is not missed.
	ends := must(kadm.NewClient(producer).ListEndOffsets(ctx, prefix+"recommendations"))
	consumer := must(kgo.NewClient(brokers, kgo.ConsumePartitions(ends.KOffsets()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted())))
	defer consumer.Close()

	id := fmt.Sprintf("%s-%d", user, time.Now().UnixNano())
	event := must(json.Marshal(map[string]any{"event_id": id, "ts": time.Now().UnixMilli(),
		"user_id": user, "item_id": item, "action": "like"}))
	click := &kgo.Record{Topic: prefix + "clicks", Key: []byte(user), Value: event}
	must(producer.ProduceSync(ctx, click).First())

	for ctx.Err() == nil {
		for _, record := range consumer.PollFetches(ctx).Records() {
			var found list
			if string(record.Key) != user || json.Unmarshal(record.Value, &found) != nil || found.Trigger != id {
				continue
			}
			for _, entry := range found.Items {
				reason := append(entry.Reasons, reason{"-", ""})[0] // a first suggestion has none
				fmt.Printf("%s\n    %s: %s\n", entry.Title, reason.Signal, cmp.Or(reason.Because, "-"))
			}
			return
		}
	}
	log.Fatal("no list within 30 s: does `upwell run` run?")
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}
