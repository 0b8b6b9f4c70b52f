import "./globals.css";

export const metadata = { title: "Next" };

// The starter's layout, without fonts from the network.
export default function Layout({ children }: { children: React.ReactNode }) {
    return (
        <html lang="en">
            <body>{children}</body>
        </html>
    );
}
