"use strict";
// Says in one line when the product does not answer, or when the platform cannot reach its webhook.

const HEALTH_MS = 5000;

function troubleOf(status) {
  if (!status.reachable) return `Trợ lý Điện chưa chạy ở ${SANDBOX.productUrl}. Tin nhắn sẽ được gửi lại khi có.`;
  const webhook = SANDBOX.platform ? status.webhooks[SANDBOX.platform] : "";
  if (webhook === "unsubscribed") return "Nền tảng đã ngừng gửi webhook vì lỗi quá lâu.";
  if (webhook && webhook !== "200") return `Webhook của Trợ lý Điện đang báo lỗi (${webhook}). Tin nhắn sẽ được gửi lại.`;
  return "";
}

function showTrouble(text) {
  const line = document.getElementById("trouble");
  line.hidden = !text;
  line.textContent = text;
  if (text.startsWith("Nền tảng đã ngừng")) {
    const again = document.createElement("button");
    again.type = "button";
    again.textContent = "Bật lại";
    again.onclick = () => fetch(`${SANDBOX.base}/resubscribe`, { method: "POST" }).then(checkHealth);
    line.append(" ", again);
  }
}

async function checkHealth() {
  try {
    showTrouble(troubleOf(await (await fetch(SANDBOX.product)).json()));
  } catch {
    showTrouble("Mất kết nối với môi trường thử.");
  }
}

checkHealth();
setInterval(checkHealth, HEALTH_MS);
